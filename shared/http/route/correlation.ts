import { randomUUID } from 'node:crypto'

const wellFormed = /^[\w.-]{1,128}$/

/** Headers in which Power Automate and Logic Apps send an id, the most specific one first. */
const headerNames = ['x-ms-client-tracking-id', 'x-ms-correlation-id', 'x-ms-client-request-id']

/**
 * The correlation id of a request: the well-formed id that the caller sent, otherwise a new one. It appears in
 * responses, in logs and in calls to Partner Center.
 */
export function correlationIdOf(headers: Headers): string {
  for (const name of headerNames) {
    const value = headers.get(name)
    if (value !== null && wellFormed.test(value)) return value
  }
  const [, traceId] =
    /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(headers.get('traceparent') ?? '') ?? []
  return traceId === undefined || /^0+$/.test(traceId) ? randomUUID() : traceId
}
