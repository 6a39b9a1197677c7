import { expect, test } from 'vitest'
import { withWorkDeadline } from '../../../shared/rate-limit/work-deadline.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createOperation } from '../../support/operations.ts'

const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    error => (error as { code?: string }).code ?? String(error),
  )

test.each([
  [9, 0, 'done'],
  [11, 0, 'deadline_exceeded'],
  [9, 3600, 'done'],
  [11, 3600, 'deadline_exceeded'],
])('%i s of work and %i s of waiting with a deadline of 10 s: %s', async (work, wait, outcome) => {
  const clock = createFakeClock()
  const operation = createOperation({ clock, seconds: 7200 })
  const ended = withWorkDeadline(clock, 10, operation, async deadline => {
    await clock.sleep((work / 2) * 1000, deadline.signal)
    await deadline.suspend(() => clock.sleep(wait * 1000, deadline.signal))
    expect(deadline.at - clock.now()).toBe((10 - work / 2) * 1000)
    await clock.sleep((work / 2) * 1000, deadline.signal)
  })
  expect(await clock.drive(outcomeOf(ended))).toBe(outcome)
})

test('the end of the call ends the work, also while it waits', async () => {
  const clock = createFakeClock()
  const operation = createOperation({ clock, seconds: 60 })
  const ended = withWorkDeadline(clock, 10, operation, deadline =>
    deadline.suspend(() => clock.sleep(3_600_000, deadline.signal)),
  )
  const outcome = outcomeOf(ended)
  operation.abort(Object.assign(new Error('over'), { code: 'over' }))
  expect(await outcome).toBe('over')
})
