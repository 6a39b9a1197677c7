import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { runNode } from '../../../local/processes/run-node.ts'

const module = new URL('../../../local/processes/run-node.ts', import.meta.url).href

/** A child that prints its process id and stays. With `code`, it can ignore signals. */
const child = (code = '') => `${code}; console.log('pid', process.pid); setInterval(() => undefined, 1000)`

let parent: ChildProcess | undefined
afterEach(() => parent?.kill('SIGKILL'))

/** A process that starts such a child with `runNode`. Returns both when the child runs. */
async function startFamily(childCode?: string): Promise<{ parent: ChildProcess; childPid: number }> {
  const code = `
    import { runNode } from ${JSON.stringify(module)}
    const args = ['--input-type=module', '--eval', ${JSON.stringify(child(childCode))}]
    const running = await runNode([], lines => lines.length > 0, { nodeArguments: args })
    console.log(running.lines[0])
    setInterval(() => undefined, 1000)`
  const started = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  parent = started
  const [line] = (await once(createInterface({ input: started.stdout }), 'line')) as [string]
  return { parent: started, childPid: Number(line.replace('pid ', '')) }
}

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a process that was started', () => {
  test.each<NodeJS.Signals>(['SIGKILL', 'SIGHUP', 'SIGINT', 'SIGTERM'])(
    'a process that was started ends when its parent ends by %s',
    async signal => {
      const family = await startFamily()
      expect(isThere(family.childPid)).toBe(true)
      family.parent.kill(signal)
      await vi.waitFor(() => expect(isThere(family.childPid)).toBe(false), 20_000)
    },
  )

  test('a process that was started ends even if it ignores signals', async () => {
    const family = await startFamily("process.on('SIGTERM', () => undefined)")
    family.parent.kill('SIGKILL')
    await vi.waitFor(() => expect(isThere(family.childPid)).toBe(false), 20_000)
  })

  test('a process that was started has time to stop', async () => {
    const code = child(
      "process.on('SIGTERM', () => setTimeout(() => { console.log('drained'); process.exit(0) }, 300))",
    )
    const running = await runNode([], lines => lines.length > 0, {
      nodeArguments: ['--input-type=module', '--eval', code],
    })
    await running.stop()
    expect(running.process.exitCode).toBe(0)
    await vi.waitFor(() => expect(running.lines).toContain('drained'))
  })

  test('a process that ends before it is ready is reported with its last output', async () => {
    const code = "console.log('almost'); console.error('the reason'); process.exit(3)"
    const started = runNode([], () => false, { nodeArguments: ['--input-type=module', '--eval', code] })
    await expect(started).rejects.toMatchObject({
      name: 'EndedEarly',
      lines: expect.arrayContaining(['almost', 'the reason']),
    })
  })
})
