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

/** Starts a script under this Node and waits for as many lines of output as `ready` says it takes. */
export async function runNode(
  args: string[],
  ready: (lines: readonly string[]) => boolean,
  { env = process.env, onLine, nodeArguments = [] }: RunOptions = {},
): Promise<Running> {
  // A group of its own: Ctrl-C on the terminal is ours to pass on, in our order.
  const child = spawn(process.execPath, [...nodeArguments, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
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
    createInterface({ input: child.stdout }).on('line', take)
    createInterface({ input: child.stderr }).on('line', take)
    child.once('error', reject)
    child.once('exit', code =>
      reject(new Error(`${args[0]} ended with ${code} before it was ready:\n${lines.join('\n')}`)),
    )
  })
  return {
    process: child,
    lines,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      await ended
    },
  }
}
