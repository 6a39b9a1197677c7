import type { App } from '../../app.ts'
import { isAppError } from '../../errors.ts'
import { logMissing } from '../../snapshots/storage/followed.ts'

/** How the activity log is followed between snapshots, for an operator. */
export type FollowingHealth = {
  /** `off` by setting, `unavailable` where there is no log, `waiting` for the first snapshot, `failing` since the last look. */
  status: 'off' | 'unavailable' | 'waiting' | 'ok' | 'failing'
  /** Everything that the log says until then is told. */
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
