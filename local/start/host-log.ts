/** The correlation id of requests of `npm start` and its page. Their lines are not shown. */
export const ownCorrelationId = 'npm-start'

type Fields = Record<string, unknown>

const time = (at: Date): string => at.toTimeString().slice(0, 8)

/** Fields that have no use on this machine. */
const left = new Set(['event', 'level', 'function', 'correlationId', 'status', 'ms', 'trigger'])

const describe = (fields: Fields): string =>
  Object.entries(fields)
    .filter(([name]) => !left.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(' ')

/** A line of the host's log for the terminal, or undefined for a line that is not shown. The log file has all lines. */
export function formatLogLine(line: string, at = new Date()): string | undefined {
  let fields: Fields
  try {
    fields = JSON.parse(line) as Fields
  } catch {
    return line === '' ? undefined : line
  }
  const { event, level, function: name = '', correlationId, status, ms } = fields
  if (correlationId === ownCorrelationId) return undefined
  const mark = level === 'warn' || level === 'error' ? `${level}: ` : ''
  const what = event === 'request' ? `${status}  ${name}  ${ms} ms` : `${mark}${event}`
  return `${time(at)}  ${what}  ${describe(fields)}`.trimEnd()
}
