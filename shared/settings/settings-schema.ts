import { z } from 'zod'
import { type Cloud, type CloudName, clouds } from '../clouds.ts'
import { AppError } from '../errors.ts'
import { guidPattern } from '../formats/guid.ts'
import { isLoopback } from '../formats/loopback.ts'
import { connectionStringFault } from './connection-string.ts'
import { isSchedule } from './schedule.ts'
import type { Environment, Settings, StorageConnection } from './values.ts'

const guid = z.string().regex(guidPattern, 'must be a GUID').toLowerCase()

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine(value => value >= least && value <= most, `must be a whole number from ${least} to ${most}`)

function webAddress(plainOnLoopback: boolean) {
  const form = plainOnLoopback ? 'must be an https URL (http on loopback only)' : 'must be an https URL'
  return z.string().transform((text, context) => {
    const url = URL.parse(text)
    const isPlain = url?.protocol === 'http:' && plainOnLoopback && isLoopback(url.hostname)
    if (url === null || (url.protocol !== 'https:' && !isPlain) || url.search !== '' || url.username !== '') {
      context.addIssue(form)
      return z.NEVER
    }
    return (url.origin + url.pathname).replace(/\/+$/, '').replace(/\/v1$/, '')
  })
}

const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` })

const secretName = z
  .string()
  .regex(/^[0-9a-z-]{1,127}$/i, 'must be a Key Vault name: letters, digits and hyphens, at most 127')

const required = (schema: z.ZodType<string, string>) => z.string({ error: 'is required' }).pipe(schema)

/** One entry for each setting in docs/reference.md, except the storage connections, which `readStorage` reads. */
const settingsSchema = z.object({
  PARTNER_CENTER_TENANT_ID: required(guid),
  PARTNER_CENTER_CLIENT_ID: required(guid),
  PARTNER_CENTER_CLOUD: z
    .string()
    .toLowerCase()
    .pipe(oneOf(Object.keys(clouds) as [CloudName, ...CloudName[]]))
    .default('global'),
  PARTNER_CENTER_CREDENTIAL: z
    .string()
    .toLowerCase()
    .pipe(oneOf(['secret', 'certificate', 'federated', 'refresh-token']))
    .default('secret'),
  KEY_VAULT_URI: webAddress(false).optional(),
  PARTNER_CENTER_CLIENT_SECRET_NAME: secretName.default('partner-center-client-secret'),
  PARTNER_CENTER_CERTIFICATE_NAME: secretName.default('partner-center-client-certificate'),
  PARTNER_CENTER_REFRESH_TOKEN_NAME: secretName.default('partner-center-refresh-token'),
  PARTNER_CENTER_BASE_URL: webAddress(true).optional(),
  AZURE_AUTHORITY_HOST: webAddress(true).optional(),
  PARTNER_CENTER_REQUESTS_PER_MINUTE: wholeNumber(1, 100_000).default(450),
  PARTNER_CENTER_CONCURRENCY: wholeNumber(1, 100).default(5),
  REQUEST_DEADLINE_SECONDS: wholeNumber(1, 220).default(100),
  FOLLOW_SCHEDULE: z
    .string()
    .refine(
      text => isSchedule(text) || text.toLowerCase() === 'off',
      'must be an NCRONTAB expression of six fields, such as 0 */10 * * * *, or off',
    )
    .optional(),
  SNAPSHOT_SCHEDULE: z
    .string()
    .refine(isSchedule, 'must be an NCRONTAB expression of six fields, such as 0 20 0 * * *')
    .optional(),
  SNAPSHOT_CONTAINER: z
    .string()
    .regex(
      /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/,
      'must be a container name: 3 to 63 lower-case letters, digits and single hyphens',
    )
    .default('order-snapshots'),
  SNAPSHOT_CUSTOMERS: z
    .string()
    .transform(text => text.split(/[\s,;]+/).filter(id => id !== ''))
    .pipe(
      z
        .array(z.string().regex(guidPattern, 'must be a comma-separated list of GUIDs').toLowerCase())
        .min(1, 'must be a comma-separated list of GUIDs'),
    )
    .optional(),
  SNAPSHOT_CUSTOMERS_PER_PART: wholeNumber(1, 1000).default(50),
  SNAPSHOT_OVERDUE_MINUTES: wholeNumber(1, 10_080).optional(),
  AZURE_CLIENT_ID: guid.optional(),
})

/** Every setting of this app, for the checks of `infra/` and `docs/`. */
export const settingNames: readonly string[] = Object.keys(settingsSchema.shape)

/** An empty setting counts as absent, because the portal and templates clear a setting that way. */
const present = (env: Environment): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || value.trim() === '' ? [] : [[name, value.trim()]],
    ),
  )

export function parseSettings(environment: Environment): Settings {
  const env = present(environment)
  const faults: string[] = []
  const parsed = settingsSchema.safeParse(env)
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) faults.push(`${String(path[0])} ${message}`)
  }
  const hostStorage = readStorage(hostConnection, env, faults)
  const snapshotStorage = Object.keys(env).some(name => /^SnapshotStorage(__|$)/.test(name))
    ? readStorage('SnapshotStorage', env, faults)
    : hostStorage
  const usesVault = env.PARTNER_CENTER_CREDENTIAL?.toLowerCase() !== 'federated'
  if (usesVault && env.KEY_VAULT_URI === undefined) {
    faults.push('KEY_VAULT_URI is required unless PARTNER_CENTER_CREDENTIAL is federated')
  }
  if (!parsed.success || hostStorage === undefined || snapshotStorage === undefined || faults.length > 0) {
    throw new AppError('app_misconfigured', `Settings to fix: ${[...new Set(faults)].join('; ')}.`)
  }

  const values = parsed.data
  const cloud: Cloud = clouds[values.PARTNER_CENTER_CLOUD]
  return {
    partnerTenantId: values.PARTNER_CENTER_TENANT_ID,
    clientId: values.PARTNER_CENTER_CLIENT_ID,
    cloud: values.PARTNER_CENTER_CLOUD,
    credential: values.PARTNER_CENTER_CREDENTIAL,
    baseUrl: values.PARTNER_CENTER_BASE_URL ?? cloud.baseUrl,
    authority: values.AZURE_AUTHORITY_HOST ?? cloud.authority,
    audience: cloud.audience,
    ...(values.KEY_VAULT_URI === undefined ? {} : { keyVaultUri: values.KEY_VAULT_URI }),
    secretNames: {
      clientSecret: values.PARTNER_CENTER_CLIENT_SECRET_NAME,
      certificate: values.PARTNER_CENTER_CERTIFICATE_NAME,
      refreshToken: values.PARTNER_CENTER_REFRESH_TOKEN_NAME,
    },
    requestsPerMinute: values.PARTNER_CENTER_REQUESTS_PER_MINUTE,
    concurrency: values.PARTNER_CENTER_CONCURRENCY,
    deadlineSeconds: values.REQUEST_DEADLINE_SECONDS,
    followsLog: values.FOLLOW_SCHEDULE?.toLowerCase() !== 'off',
    snapshots: {
      container: values.SNAPSHOT_CONTAINER,
      ...(values.SNAPSHOT_CUSTOMERS === undefined ? {} : { customers: values.SNAPSHOT_CUSTOMERS }),
      customersPerPart: values.SNAPSHOT_CUSTOMERS_PER_PART,
      ...(values.SNAPSHOT_OVERDUE_MINUTES === undefined ? {} : { overdueMinutes: values.SNAPSHOT_OVERDUE_MINUTES }),
    },
    hostStorage,
    snapshotStorage,
    ...(values.AZURE_CLIENT_ID === undefined ? {} : { managedIdentityClientId: values.AZURE_CLIENT_ID }),
    inAzure: env.IDENTITY_ENDPOINT !== undefined || env.WEBSITE_INSTANCE_ID !== undefined,
  }
}

/** The connection of the Functions host, which reads the queues and keeps its state in blobs. */
const hostConnection = 'AzureWebJobsStorage'

/**
 * Reads an Azure Functions connection in one of its forms: `NAME`, `NAME__accountName`, or `NAME__blobServiceUri` with
 * `NAME__queueServiceUri`. As on the platform, an account name means the public cloud.
 */
function readStorage(name: string, env: Record<string, string>, faults: string[]): StorageConnection | undefined {
  const connectionString = env[name] ?? env[`ConnectionStrings:${name}`]
  if (connectionString !== undefined) {
    const fault = connectionStringFault(connectionString, name === hostConnection ? ['Blob', 'Queue'] : ['Blob'])
    if (fault === undefined) return { kind: 'connection-string', connectionString }
    faults.push(`${name} must be a storage connection string: ${fault}`)
    return undefined
  }
  const account = env[`${name}__accountName`]
  const blobServiceUri = env[`${name}__blobServiceUri`] ?? (account && `https://${account}.blob.core.windows.net`)
  const queueServiceUri = env[`${name}__queueServiceUri`] ?? (account && `https://${account}.queue.core.windows.net`)
  if (blobServiceUri === undefined) {
    faults.push(
      `${name} (or ${name}__accountName, or ${name}__blobServiceUri with ${name}__queueServiceUri) is required`,
    )
    return undefined
  }
  for (const [suffix, uri] of [
    ['blobServiceUri', blobServiceUri],
    ['queueServiceUri', queueServiceUri],
  ] as const) {
    if (uri !== undefined && !webAddress(true).safeParse(uri).success) {
      faults.push(`${name}__${suffix} must be an https URL (http on loopback only)`)
    }
  }
  if (account !== undefined && !/^[a-z0-9]{3,24}$/.test(account)) {
    faults.push(`${name}__accountName must be 3 to 24 lower-case letters and digits`)
  }
  if (name === hostConnection && queueServiceUri === undefined) {
    faults.push(`${name}__queueServiceUri is required together with ${name}__blobServiceUri`)
  }
  const clientId = env[`${name}__clientId`]
  return {
    kind: 'identity',
    blobServiceUri,
    ...(queueServiceUri === undefined ? {} : { queueServiceUri }),
    ...(clientId === undefined ? {} : { clientId }),
  }
}
