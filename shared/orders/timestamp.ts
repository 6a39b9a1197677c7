/**
 * A timestamp with all its digits. Partner Center writes up to seven fraction digits (`2018-03-15T02:17:15.6455674Z`),
 * and a JavaScript `Date` keeps three.
 */
export type Timestamp = {
  /** Whole seconds since 1970 UTC. */
  seconds: number
  /** Fraction digits without trailing zeros, so that two fractions compare as text. */
  fraction: string
}

const pattern = /^\d{4}-\d{2}-\d{2}(?:([Tt ])\d{2}:\d{2}(?:(:)\d{2}(?:[.,](\d+))?)?(?:[Zz]|([+-])(\d{2}):?(\d{2}))?)?$/

/** RFC 3339 with a zone: the form that callers must send. */
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,30})?([Zz]|[+-]\d{2}:\d{2})$/

/**
 * The seconds of 400 years, after which the calendar repeats. They are added to keep the year above 99, because
 * `Date.UTC` takes a smaller year as one of the 20th century.
 */
const cycleSeconds = 146_097 * 86_400

/** The number that two digits represent. */
const pairAt = (text: string, at: number): number => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528

const daysIn = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/**
 * Parses a timestamp of Partner Center: any number of fraction digits, and zone `Z`, an offset or none, which means
 * UTC. Undefined if the text is no timestamp.
 */
export function parseTimestamp(text: string | undefined): Timestamp | undefined {
  const match = text === undefined ? null : pattern.exec(text)
  if (text === undefined || match === null) return undefined
  const [, time, secondsSign, fraction = '', sign, zoneHour, zoneMinute] = match
  const year = pairAt(text, 0) * 100 + pairAt(text, 2)
  const month = pairAt(text, 5)
  const day = pairAt(text, 8)
  const hours = time === undefined ? 0 : pairAt(text, 11)
  const minutes = time === undefined ? 0 : pairAt(text, 14)
  const seconds = secondsSign === undefined ? 0 : pairAt(text, 17)
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
  if (!isDate || hours > 23 || minutes > 59 || seconds > 59) return undefined
  let offset = 0
  if (sign !== undefined) {
    if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined
    offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -60 : 60)
  }
  return {
    seconds:
      Date.UTC(year + 400, month - 1, day) / 1000 - cycleSeconds + hours * 3600 + minutes * 60 + seconds - offset,
    fraction: fraction.endsWith('0') ? fraction.replace(/0+$/, '') : fraction,
  }
}

export const parseRfc3339 = (text: string): Timestamp | undefined =>
  rfc3339.test(text) ? parseTimestamp(text) : undefined

export function compareTimestamps(a: Timestamp, b: Timestamp): number {
  return a.seconds - b.seconds || compareText(a.fraction, b.fraction)
}

/** Compares by code unit, because the order of a locale differs between machines. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Milliseconds since 1970 UTC. Further digits are cut off. */
export const toMilliseconds = ({ seconds, fraction }: Timestamp): number =>
  seconds * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'))
