import type { App } from '../../app.ts'
import { isAppError } from '../../errors.ts'
import { logMissing } from '../../snapshots/storage/followed.ts'

/** The state of following, for an operator. */
export type FollowingHealth = {
  /**
   * `off`: switched off. `unavailable`: this cloud or tenant has no log. `waiting`: there is no snapshot yet.
   * `failing`: the last reading of the log failed.
   */
  status: 'off' | 'unavailable' | 'waiting' | 'ok' | 'failing'
  /** All changes in the log up to this time are recorded. */
  position?: string
  lagMinutes?: number
  error?: { code: string; message: string; at?: string }
}

export async function readFollowingHealth(app: App): Promise<FollowingHealth> {
  const { followsLog } = await app.settings()
  if (!followsLog) return { status: 'off' }
  try {
    const { followed } = await app.snapshots()
    const { position, error } = await followed()
    const lag = position === undefined ? undefined : app.clock.now() - Date.parse(position)
    const known = {
      ...(position === undefined ? {} : { position }),
      ...(lag === undefined ? {} : { lagMinutes: Math.max(0, Math.round(lag / 60_000)) }),
      ...(error === undefined ? {} : { error }),
    }
    if (error !== undefined) return { status: error.code === logMissing ? 'unavailable' : 'failing', ...known }
    return { status: position === undefined ? 'waiting' : 'ok', ...known }
  } catch (error) {
    if (!isAppError(error)) throw error
    return { status: 'failing', error: { code: error.code, message: error.message } }
  }
}
