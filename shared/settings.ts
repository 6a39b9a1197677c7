import type { CloudName } from './clouds.ts'

/** The environment of the process. Nothing else reads it. */
export const environment = (): Environment => process.env

export type Environment = Readonly<Record<string, string | undefined>>

export type CredentialKind = 'secret' | 'certificate' | 'federated' | 'refresh-token'

/** Where blobs or queues live: a connection string, or a service URL that is signed in to with an Azure identity. */
export type StorageConnection =
  | { kind: 'connection-string'; connectionString: string }
  | { kind: 'identity'; blobServiceUri: string; queueServiceUri?: string; clientId?: string }

export type Settings = {
  partnerTenantId: string
  clientId: string
  cloud: CloudName
  credential: CredentialKind
  /** Partner Center REST host, without `/v1` and without a slash at the end. */
  baseUrl: string
  /** Token authority host, without a slash at the end. */
  authority: string
  /** Resource the access token is for. */
  audience: string
  keyVaultUri?: string
  secretNames: { clientSecret: string; certificate: string; refreshToken: string }
  requestsPerMinute: number
  concurrency: number
  deadlineSeconds: number
  snapshots: {
    container: string
    /** Lower-case tenant ids, or undefined for all customers. */
    customers?: string[]
    customersPerPart: number
    /** Minutes after which a run is given up, or undefined for the default that depends on its size. */
    overdueMinutes?: number
  }
  hostStorage: StorageConnection
  snapshotStorage: StorageConnection
  /** Client id of the user-assigned managed identity, if that is what the app has. */
  managedIdentityClientId?: string
  /** True on the Azure Functions platform, where a managed identity signs in. */
  inAzure: boolean
}

/** 20 minutes after midnight UTC: orders take up to 15 minutes to appear. */
export const defaultSnapshotSchedule = '0 20 0 * * *'

type Field = { least: number; most: number; names?: RegExp }

const months =
  /^(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sep(tember)?|oct(ober)?|nov(ember)?|dec(ember)?)$/i
const weekdays = /^(sun(day)?|mon(day)?|tue(sday)?|wed(nesday)?|thu(rsday)?|fri(day)?|sat(urday)?)$/i

/** The six fields of NCRONTAB, from seconds to the day of the week (github.com/atifaziz/NCrontab). */
const fields: readonly Field[] = [
  { least: 0, most: 59 },
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  { least: 1, most: 12, names: months },
  { least: 0, most: 6, names: weekdays },
]

/** True for an NCRONTAB expression of six fields, or five without the seconds. */
export function isSchedule(text: string): boolean {
  const given = text.trim().split(/\s+/)
  if (given.length !== 5 && given.length !== 6) return false
  const expected = fields.slice(fields.length - given.length)
  return expected.every((field, index) => isField(given[index] ?? '', field))
}

function isField(text: string, { least, most, names }: Field): boolean {
  const isValue = (value: string) =>
    names?.test(value) || (/^\d{1,2}$/.test(value) && Number(value) >= least && Number(value) <= most)
  return text.split(',').every(part => {
    const [, values = '', step] = /^([^/]+)(?:\/(\d{1,4}))?$/.exec(part) ?? []
    if (step !== undefined && Number(step) === 0) return false
    const ends = values.split('-')
    return values === '*' || (ends.length <= 2 && ends.every(isValue))
  })
}

/**
 * The schedule of the timer, needed while functions are registered. A malformed one must not break the registration:
 * it is reported with the other faults of the settings, and the default stands in.
 */
export function snapshotSchedule(env: Environment = environment()): string {
  const text = env.SNAPSHOT_SCHEDULE?.trim() ?? ''
  return isSchedule(text) ? text : defaultSnapshotSchedule
}

/** Reads and checks every setting. Throws an `AppError` (`app_misconfigured`) whose message names every fault at once. */
export async function readSettings(env: Environment = environment()): Promise<Settings> {
  const { parseSettings } = await import('./settings-schema.ts')
  return parseSettings(env)
}
