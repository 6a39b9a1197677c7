import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export type Running = {
  process: ChildProcess
  /** The output of the process so far, line by line. */
  lines: string[]
  /** Asks the process to end and waits until it has ended. */
  stop: (signal?: NodeJS.Signals) => Promise<void>
}

type RunOptions = {
  env?: Record<string, string | undefined>
  /** Called with each line of output. */
  onLine?: (line: string) => void
  /** Arguments for Node.js itself. */
  nodeArguments?: string[]
}

/** The process ended before it was ready. `lines` is its output. */
export class EndedEarly extends Error {
  override readonly name = 'EndedEarly'
  readonly lines: readonly string[]
  constructor(script: string, code: number | null, lines: readonly string[]) {
    super(`${script} ended with ${code} before it was ready:\n${lines.join('\n')}`)
    this.lines = lines
  }
}

const followParent = new URL('./follow-parent.ts', import.meta.url).href

/**
 * Starts a script with this Node.js, and waits until `ready` accepts its output. The process ends together with this
 * one, even if this one is killed.
 */
export async function runNode(
  args: string[],
  ready: (lines: readonly string[]) => boolean,
  { env = process.env, onLine, nodeArguments = [] }: RunOptions = {},
): Promise<Running> {
  const child = spawn(process.execPath, ['--import', followParent, ...nodeArguments, ...args], {
    env,
    // The channel closes when this process ends: see follow-parent.ts.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A separate process group, so that Ctrl-C reaches the children only through this process, in the right order. On
    // Windows, that would open a console.
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  const lines: string[] = []
  const ended = once(child, 'exit')
  // The child must end with this process, because it would keep its port in use.
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  await new Promise<void>((resolve, reject) => {
    const take = (line: string) => {
      lines.push(line)
      onLine?.(line)
      if (ready(lines)) resolve()
    }
    const outputs = [child.stdout, child.stderr].flatMap(stream => (stream === null ? [] : [stream]))
    for (const input of outputs) createInterface({ input }).on('line', take)
    child.once('error', reject)
    // 'close' comes after the last line. 'exit' can come before it.
    child.once('close', code => reject(new EndedEarly(args[0] ?? '', code, lines)))
  })
  return {
    process: child,
    lines,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) {
        // On Windows, a signal kills the process. If the channel is closed instead, the process can end in order.
        if (signal === 'SIGTERM' && process.platform === 'win32' && child.connected) child.disconnect()
        else child.kill(signal)
      }
      await ended
    },
  }
}
