import { expect, test } from 'vitest'
import { formatLogLine, ownCorrelationId } from '../../../local/start/host-log.ts'

const at = new Date(2026, 10, 20, 9, 5, 7)
const line = (fields: object) => formatLogLine(JSON.stringify(fields), at)

test('a request is one short line', () => {
  const request = { event: 'request', level: 'info', function: 'get-health', correlationId: 'a', status: 200, ms: 3 }
  expect(line(request)).toBe('09:05:07  200  get-health  3 ms')
  expect(line({ ...request, status: 404, code: 'order_not_found', why: 'No such order.' })).toBe(
    '09:05:07  404  get-health  3 ms  code=order_not_found why=No such order.',
  )
})

test('any other event is shown with its fields', () => {
  expect(
    line({
      event: 'snapshot_planned',
      function: 'snapshot-part',
      correlationId: 'a',
      customers: 42,
      changes: { created: 1 },
    }),
  ).toBe('09:05:07  snapshot_planned  customers=42 changes={"created":1}')
})

test('a warning and an error are marked unless they have a status', () => {
  expect(line({ event: 'retry', level: 'warn', waitMs: 5 })).toBe('09:05:07  warn: retry  waitMs=5')
  expect(line({ event: 'request', level: 'error', function: 'f', status: 503, ms: 1 })).toBe('09:05:07  503  f  1 ms')
})

test('requests of the start and its page are not shown, and text is shown unchanged', () => {
  expect(line({ event: 'request', correlationId: ownCorrelationId, status: 202 })).toBeUndefined()
  expect(formatLogLine('a warning')).toBe('a warning')
  expect(formatLogLine('')).toBeUndefined()
})
