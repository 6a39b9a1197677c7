/** Correlation id of what `npm start` and its page ask for themselves; their lines are not shown. */
export const ownCorrelationId = 'npm-start'

type Fields = Record<string, unknown>

const time = (at: Date): string => at.toTimeString().slice(0, 8)

/** Fields that say nothing on this machine. */
const left = new Set(['event', 'function', 'correlationId', 'status', 'ms', 'trigger'])

const describe = (fields: Fields): string =>
  Object.entries(fields)
    .filter(([name]) => !left.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(' ')

/**
 * A line of the host's log as a person reads it, or undefined where it is not worth a line on the terminal. The log
 * file has all of them.
 */
export function formatLogLine(line: string, at = new Date()): string | undefined {
  let fields: Fields
  try {
    fields = JSON.parse(line) as Fields
  } catch {
    return line === '' ? undefined : line
  }
  const { event, function: name = '', correlationId, status, ms } = fields
  if (correlationId === ownCorrelationId) return undefined
  const what = event === 'request' ? `${status}  ${name}  ${ms} ms` : `${event}`
  return `${time(at)}  ${what}  ${describe(fields)}`.trimEnd()
}
