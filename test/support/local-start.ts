import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../../local/build/bundle.ts'
import { runNode } from '../../local/processes/run-node.ts'

export type LocalStart = Awaited<ReturnType<typeof startEverything>>

/** `npm start` on a free port, with its own data folder, after it has printed that it is ready. */
export async function startEverything(args: string[] = [], settings: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'start-'))
  const env = {
    ...process.env,
    PORT: '0',
    LOCAL_DATA_FOLDER: folder,
    PARTNER_CENTER_REQUESTS_PER_MINUTE: '6000',
    ...settings,
  }
  const running = await runNode(
    [`${root}local/run.js`, 'start', ...args],
    lines => lines.some(line => line.startsWith('Ctrl-C')),
    {
      env,
    },
  )
  /** The printed lines with this start. */
  const printed = (start: string): string[] =>
    running.lines.map(line => line.trim()).filter(line => line.startsWith(start))
  return {
    running,
    folder,
    env,
    printed,
    url: printed('Listening on ')[0]?.replace('Listening on ', '') ?? '',
    async stop() {
      await running.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
