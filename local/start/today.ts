import { setTimeout as sleep } from 'node:timers/promises'
import { ownCorrelationId } from './host-log.ts'

export type Today = {
  snapshotId: string
  status: string
  path: string
  customers: { read: number; failed: number }
  orders: number
  changes?: { created: number; updated: number; removed: number }
}

/** Takes a snapshot and waits for its end. Returns the snapshot, or the text of the failure. */
export async function takeTodaysSnapshot(url: string, key: string | undefined): Promise<Today | string> {
  const headers = {
    'x-ms-client-request-id': ownCorrelationId,
    ...(key === undefined ? {} : { 'x-functions-key': key }),
  }
  const started = await fetch(`${url}/api/snapshots`, { method: 'POST', headers })
  const location = started.headers.get('location')
  if (location === null) return started.text()
  for (;;) {
    const answer = await fetch(location, { headers })
    if (answer.status !== 202) return answer.status === 200 ? ((await answer.json()) as Today) : answer.text()
    await answer.arrayBuffer()
    await sleep(250)
  }
}
