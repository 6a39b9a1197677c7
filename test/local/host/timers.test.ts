import { afterEach, expect, test, vi } from 'vitest'
import type { FunctionMetadata, LoadedApp } from '../../../local/host/core.ts'
import { startTimers, type Timers } from '../../../local/host/timers.ts'

let timers: Timers | undefined
afterEach(() => timers?.stop())

const failing: FunctionMetadata = {
  name: 'nightly',
  bindings: { timer: { name: 'timer', type: 'timerTrigger', direction: 'in', schedule: '* * * * * *' } },
  retryOptions: { retryStrategy: 'fixedDelay', maxRetryCount: 2, delayInterval: { seconds: 7 } },
}

/** Starts a timer whose function always fails, and counts its invocations. */
function start(schedule: string) {
  let invocations = 0
  const trigger = { name: 'timer', type: 'timerTrigger', direction: 'in', schedule }
  const app: LoadedApp = {
    functions: new Map([['nightly', { ...failing, bindings: { timer: trigger } }]]),
    runHooks: async () => undefined,
    invoke: async () => {
      invocations++
      throw new Error('broken function')
    },
  }
  const slept: number[] = []
  timers = startTimers(app, async ms => slept.push(ms))
  return { timers, invocations: () => invocations, slept }
}

test('a function that fails on its schedule is retried as its options say', async () => {
  const { invocations, slept } = start('* * * * * *')
  await vi.waitFor(() => expect(invocations()).toBeGreaterThanOrEqual(3), 10_000)
  expect(slept.slice(0, 2)).toEqual([7000, 7000])
})

test('a function that is started by hand is not retried', async () => {
  const started = start('0 0 0 1 1 *')
  expect(started.timers.startByHand('nightly')).toBe(true)
  await vi.waitFor(() => expect(started.invocations()).toBe(1))
  await started.timers.stop()
  expect([started.invocations(), started.slept]).toEqual([1, []])
  expect(started.timers.startByHand('nothing')).toBe(false)
})
