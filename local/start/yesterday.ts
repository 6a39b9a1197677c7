import { setTimeout as sleep } from 'node:timers/promises'
import { BlobServiceClient } from '@azure/storage-blob'
import { root } from '../build/bundle.ts'
import { runNode } from '../processes/run-node.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** A snapshot of a few dozen customers takes about two seconds. */
const maxWaitMs = 60_000

type Newest = { status: string; startedAt: string }

/** The time of yesterday's timer: 00:20 UTC. */
export function yesterdaysRun(now = Date.now()): number {
  const yesterday = new Date(now - 86_400_000)
  return yesterday.setUTCHours(0, 20, 0, 0)
}

/** True if the storage has a finished snapshot of all customers. */
export const hasSnapshot = (storage: string, container: string): Promise<boolean> =>
  BlobServiceClient.fromConnectionString(storage).getContainerClient(container).getBlobClient('latest.json').exists()

/**
 * Takes yesterday's snapshot like the timer: with the app itself, on a host whose clock is at 00:20 UTC of yesterday.
 * The host ends after the snapshot. No other host can use its queue meanwhile.
 */
export const takeYesterdaysSnapshot = (env: Environment): Promise<void> => takeSnapshotAt(env, yesterdaysRun())

/** Takes a snapshot at any time in the past, in milliseconds since 1970 UTC, with the app that was built last. */
export async function takeSnapshotAt(env: Environment, timestamp: number): Promise<void> {
  const host = await runNode([`${root}local/run.js`, 'host', '--built'], lines => lines.some(isListening), {
    nodeArguments: ['--import', new URL('./shift-clock.ts', import.meta.url).href],
    env: {
      ...env,
      PORT: '0',
      LOCAL_CLOCK_SHIFT_MS: String(timestamp - Date.now()),
      LOCAL_FUNCTION_KEY: undefined,
      LOCAL_MASTER_KEY: undefined,
      LOCAL_PAGE_URL: undefined,
      FOLLOW_SCHEDULE: 'off',
      // The simulator has no limit.
      PARTNER_CENTER_REQUESTS_PER_MINUTE: '60000',
    },
  })
  const url = host.lines.find(isListening)?.slice(listening.length)
  try {
    await fetch(`${url}/admin/functions/snapshot-orders`, { method: 'POST' })
    const until = Date.now() + maxWaitMs
    for (;;) {
      const { value } = (await (await fetch(`${url}/api/snapshots?top=1`)).json()) as { value?: Newest[] }
      const [newest] = value ?? []
      const isThere = newest !== undefined && Date.parse(newest.startedAt) >= timestamp
      if (isThere && newest.status !== 'running') return
      if (Date.now() > until) throw new Error('It has not ended within a minute.')
      await sleep(100)
    }
  } finally {
    await host.stop()
  }
}

const listening = 'Listening on '
const isListening = (line: string): boolean => line.startsWith(listening)
