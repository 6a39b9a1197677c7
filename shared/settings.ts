import { AppError, isAppError } from './errors.ts'
import { defaultFollowSchedule, defaultSnapshotSchedule, isSchedule } from './settings/schedule.ts'
import type { Environment, Settings } from './settings/values.ts'

export type { CredentialKind, Environment, Settings, StorageConnection } from './settings/values.ts'

/** The environment of the process. No other module reads it. */
export const environment = (): Environment => process.env

/**
 * The schedule of the timer. The registration of functions needs it. A malformed schedule must not break the
 * registration. The default is used instead, and the fault is reported with the other faults of the settings.
 */
export function snapshotSchedule(env: Environment = environment()): string {
  const text = env.SNAPSHOT_SCHEDULE?.trim() ?? ''
  return isSchedule(text) ? text : defaultSnapshotSchedule
}

/** The schedule of following, or undefined if following is switched off. */
export function followSchedule(env: Environment = environment()): string | undefined {
  const text = env.FOLLOW_SCHEDULE?.trim() ?? ''
  if (text.toLowerCase() === 'off') return undefined
  return isSchedule(text) ? text : defaultFollowSchedule
}

/** The oldest Node.js version that the libraries of this app support, as in `engines` of package.json. */
export const leastNode = 22

/**
 * Reads and checks every setting. Throws an `AppError` (`app_misconfigured`) whose message names every fault at once.
 * An old Node.js version is one of them. Otherwise the app would fail inside a library, and the message would not name
 * the cause.
 */
export async function readSettings(
  env: Environment = environment(),
  nodeVersion: string = process.versions.node,
): Promise<Settings> {
  const { parseSettings } = await import('./settings/settings-schema.ts')
  if (Number.parseInt(nodeVersion, 10) >= leastNode) return parseSettings(env)
  throw new AppError('app_misconfigured', [oldNode(nodeVersion), ...faultsOf(() => parseSettings(env))].join(' '))
}

const oldNode = (version: string): string =>
  `The app runs on Node.js ${version} and needs ${leastNode} or newer: set the Node.js version of the function app, or that of this machine.`

/**
 * The faults other than the version. The check itself can fail on an old Node.js, which is no fault of the settings.
 */
function faultsOf(check: () => unknown): string[] {
  try {
    check()
    return []
  } catch (error) {
    return isAppError(error) ? [error.message] : []
  }
}
