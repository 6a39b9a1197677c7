import { describe, expect, test } from 'vitest'
import { deadlineExceeded, startDeadline } from '../../shared/call.ts'
import { createFakeClock } from '../support/fake-clock.ts'

describe('a deadline', () => {
  test('lies as many seconds ahead as it was given, and aborts then', async () => {
    const clock = createFakeClock()
    const deadline = startDeadline(clock, 3)
    expect(deadline.at).toBe(clock.now() + 3000)
    await clock.advance(2999)
    expect(deadline.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(deadline.signal.reason).toMatchObject({ code: 'deadline_exceeded', options: { retryAfterSeconds: 30 } })
    expect(String(deadline.signal.reason)).toContain('3 seconds')
  })

  test('that was ended never aborts, and one that has aborted may be ended', async () => {
    const clock = createFakeClock()
    const ended = startDeadline(clock, 3)
    const passed = startDeadline(clock, 1)
    await clock.advance(2000)
    ended.end()
    passed.end()
    ended.end()
    await clock.advance(60_000)
    expect(ended.signal.aborted).toBe(false)
    expect(passed.signal.aborted).toBe(true)
  })
})

test('a deadline that has passed is worth another try', () => {
  expect(deadlineExceeded(100)).toMatchObject({ code: 'deadline_exceeded', status: 503, retryable: true })
})
