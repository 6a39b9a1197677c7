/**
 * A point in time to all the digits it was written with. Partner Center writes up to seven fraction digits
 * (`2018-03-15T02:17:15.6455674Z`), a JavaScript `Date` keeps three.
 */
export type Instant = {
  /** Whole seconds since 1970 UTC. */
  seconds: number
  /** Fraction digits without trailing zeros, so that they compare as text. */
  fraction: string
}

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?(?:([Zz])|([+-])(\d{2}):?(\d{2}))?)?$/

/** RFC 3339 with a zone: what callers have to send. */
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,30})?([Zz]|[+-]\d{2}:\d{2})$/

/**
 * Reads a date and time as Partner Center writes it: 0 to 7 or more fraction digits, zone `Z`, an offset, or none,
 * which means UTC. Undefined if it is no date.
 */
export function parseInstant(text: string | undefined): Instant | undefined {
  const match = text === undefined ? null : pattern.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, fraction = '', , sign, zoneHour, zoneMinute] = match
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  const isCalendarDay = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
  const hours = Number(hour ?? 0)
  const minutes = Number(minute ?? 0)
  const seconds = Number(second ?? 0)
  const offset = (Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0)) * (sign === '-' ? -60 : 60)
  if (!isCalendarDay || hours > 23 || minutes > 59 || seconds > 59 || Math.abs(offset) >= 86_400) return undefined
  if (Number(zoneMinute ?? 0) > 59) return undefined
  return {
    seconds: date.getTime() / 1000 + hours * 3600 + minutes * 60 + seconds - offset,
    fraction: fraction.replace(/0+$/, ''),
  }
}

export const parseRfc3339 = (text: string): Instant | undefined => (rfc3339.test(text) ? parseInstant(text) : undefined)

export function compareInstants(a: Instant, b: Instant): number {
  return a.seconds - b.seconds || compareText(a.fraction, b.fraction)
}

/** By code unit: the same on every machine, which a locale's order is not. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Milliseconds since 1970 UTC, further digits cut off. */
export const toMilliseconds = ({ seconds, fraction }: Instant): number =>
  seconds * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'))
