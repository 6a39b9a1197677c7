import { randomUUID } from 'node:crypto'

const wellFormed = /^[\w.-]{1,128}$/

/** Headers that Power Automate and Logic Apps name a run's request with, the most specific first. */
const headerNames = ['x-ms-client-tracking-id', 'x-ms-correlation-id', 'x-ms-client-request-id']

/** The id that this request goes by in answers, logs and upstream: the caller's own if there is a well-formed one. */
export function correlationIdOf(headers: Headers): string {
  for (const name of headerNames) {
    const value = headers.get(name)
    if (value !== null && wellFormed.test(value)) return value
  }
  const [, traceId] =
    /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(headers.get('traceparent') ?? '') ?? []
  return traceId === undefined || /^0+$/.test(traceId) ? randomUUID() : traceId
}
