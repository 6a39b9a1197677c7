import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export type Running = {
  process: ChildProcess
  /** What the process printed so far, line by line. */
  lines: string[]
  /** Asks the process to end and waits until it has. */
  stop: (signal?: NodeJS.Signals) => Promise<void>
}

export type RunOptions = {
  env?: Record<string, string | undefined>
  /** Called with each line of its output. */
  onLine?: (line: string) => void
  /** Arguments for Node itself. */
  nodeArguments?: string[]
}

/** The process has ended before it was ready. `lines` is what it printed. */
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
 * Starts a script under this Node and waits for as many lines of output as `ready` says it takes. The process ends with
 * this one, even if this one is killed.
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
    // A group of its own: Ctrl-C on the terminal is ours to pass on, in our order. Windows would open a console for it.
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  const lines: string[] = []
  const ended = once(child, 'exit')
  // Whatever ends us, the child does not stay behind and hold its port.
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
    // 'close' comes after the last line, 'exit' may come before it.
    child.once('close', code => reject(new EndedEarly(args[0] ?? '', code, lines)))
  })
  return {
    process: child,
    lines,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) {
        // On Windows a signal kills; closing the channel leaves the process a moment to end in order.
        if (signal === 'SIGTERM' && process.platform === 'win32' && child.connected) child.disconnect()
        else child.kill(signal)
      }
      await ended
    },
  }
}
