import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareText,
  compareTimestamps,
  parseRfc3339,
  parseTimestamp,
  type Timestamp,
  toMilliseconds,
} from '../../../shared/orders/timestamp.ts'

const two = (value: number) => String(value).padStart(2, '0')

/** The parts of a timestamp in all its forms. */
const parts = fc.record({
  year: fc.integer({ min: 1, max: 9999 }),
  month: fc.integer({ min: 1, max: 12 }),
  day: fc.integer({ min: 1, max: 28 }),
  hour: fc.integer({ min: 0, max: 23 }),
  minute: fc.integer({ min: 0, max: 59 }),
  second: fc.integer({ min: 0, max: 59 }),
  fraction: fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 12 }),
  mark: fc.constantFrom('T', 't', ' '),
  zone: fc.oneof(
    fc.constantFrom('', 'Z', 'z'),
    fc.record({
      sign: fc.constantFrom('+', '-'),
      hours: fc.integer({ min: 0, max: 23 }),
      minutes: fc.integer({ min: 0, max: 59 }),
      colon: fc.constantFrom(':', ''),
    }),
  ),
})
type Parts = typeof parts extends fc.Arbitrary<infer T> ? T : never

function write({ year, month, day, hour, minute, second, fraction, mark, zone }: Parts): string {
  const named = typeof zone === 'string' ? zone : `${zone.sign}${two(zone.hours)}${zone.colon}${two(zone.minutes)}`
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`
  return `${date}${mark}${two(hour)}:${two(minute)}:${two(second)}${fraction === '' ? '' : `.${fraction}`}${named}`
}

/** Picoseconds since 1970 UTC, by the calendar. */
function picoseconds({ year, month, day, hour, minute, second, fraction, zone }: Parts): bigint {
  const offset = typeof zone === 'string' ? 0 : (zone.sign === '-' ? -60 : 60) * (zone.hours * 60 + zone.minutes)
  const seconds = daysFromCivil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
  return BigInt(seconds) * 10n ** 12n + BigInt(fraction.padEnd(12, '0'))
}

/**
 * Days since 1970 of a day in the proleptic Gregorian calendar, computed without Date, which the code under test uses.
 */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

const picosecondsOf = ({ seconds, fraction }: Timestamp): bigint =>
  BigInt(seconds) * 10n ** 12n + BigInt(fraction.padEnd(12, '0'))

const read = (text: string): Timestamp => {
  const timestamp = parseTimestamp(text)
  if (timestamp === undefined) throw new Error(`${text} is no timestamp`)
  return timestamp
}

describe('a timestamp', () => {
  test('a timestamp is parsed with all its digits, from the year 1 to 9999, in any zone', () => {
    fc.assert(
      fc.property(parts, parts => {
        expect(picosecondsOf(read(write(parts)))).toBe(picoseconds(parts))
      }),
      { numRuns: 5000 },
    )
  })

  test('two timestamps compare like their picoseconds', () => {
    fc.assert(
      fc.property(parts, parts, fc.boolean(), (a, other, isNear) => {
        const b = isNear ? { ...a, fraction: other.fraction } : other
        const difference = picoseconds(a) - picoseconds(b)
        expect(Math.sign(compareTimestamps(read(write(a)), read(write(b))))).toBe(Math.sign(Number(difference)))
      }),
      { numRuns: 5000 },
    )
  })

  test('a timestamp in milliseconds equals that of Date, with further digits cut off', () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date('0001-01-01T00:00:00Z'),
          max: new Date('9999-12-31T23:59:59.999Z'),
          noInvalidDate: true,
        }),
        fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 9 }),
        (date, further) => {
          expect(toMilliseconds(read(date.toISOString().replace('Z', `${further}Z`)))).toBe(date.getTime())
        },
      ),
      { numRuns: 3000 },
    )
  })

  test.each([
    ['1970-01-01T00:00:00Z', 0, ''],
    ['1969-12-31T23:59:59.9Z', -1, '9'],
    ['2018-03-15T02:17:15.6455674Z', 1_521_080_235, '6455674'],
    ['2018-03-15T22:30:02.085152Z', 1_521_153_002, '085152'],
    ['2018-03-06T17:37:05.253-08:00', 1_520_386_625, '253'],
    ['2019-01-16T00:48:44.76+00:00', 1_547_599_724, '76'],
    ['2017-07-25T01:51:00', 1_500_947_460, ''],
    ['2017-07-25T01:51', 1_500_947_460, ''],
    ['2017-07-25T01:51:00,5', 1_500_947_460, '5'],
    ['2017-07-25T01:51:00.500', 1_500_947_460, '5'],
    ['2017-07-25T01:51:00.000', 1_500_947_460, ''],
    ['2017-07-25', 1_500_940_800, ''],
    ['2000-02-29T00:00:00Z', 951_782_400, ''],
    ['0001-01-01T00:00:00Z', -62_135_596_800, ''],
    ['0001-01-01T00:00:00', -62_135_596_800, ''],
    ['2026-01-01T00:00:00+23:59', 1_767_139_260, ''],
  ])('a timestamp is parsed from %s', (text, seconds, fraction) => {
    expect(parseTimestamp(text)).toEqual({ seconds, fraction })
  })

  test.each([
    ...['', ' ', 'now', '2026', '2026-11', '2026-00-10', '2026-13-01', '2026-11-00', '2026-11-31', '2026-02-29'],
    ...['1900-02-29', '2026-11-20T', '2026-11-20T24:00:00Z', '2026-11-20T23:60:00Z', '2026-11-20T23:59:60Z'],
    ...['2026-11-20T1:00:00Z', '2026-11-20T01:00:00.Z', '2026-11-20T01:00:00+1', '2026-11-20T01:00:00+25:00'],
    ...['2026-11-20T01:00:00+01:60', '2026-11-20T01:00:00 Z', ' 2026-11-20', '2026-11-20 ', '2026-11-20T01:00:00Z\n'],
    ...['20261120T010000Z', '26-11-20', '+2026-11-20', '-2026-11-20', '12026-11-20', '2026/11/20', '2026-11-20T01Z'],
    ...['2026-11-20T01:00:00GMT', '2026-11-20Z', '٢٠٢٦-11-20', '1795132857000', '/Date(1795132857000)/'],
  ])('no timestamp is parsed from %j', text => {
    expect(parseTimestamp(text)).toBeUndefined()
  })

  test('no timestamp is parsed from undefined', () => {
    expect(parseTimestamp(undefined)).toBeUndefined()
  })

  test('a timestamp exists for each day of the calendar and no other', () => {
    for (const [year, leap] of [
      [1900, false],
      [2000, true],
      [2023, false],
      [2024, true],
    ] as const) {
      const lengths = Array.from({ length: 12 }, (_, index) => {
        const days = Array.from({ length: 40 }, (_, day) => parseTimestamp(`${year}-${two(index + 1)}-${two(day)}`))
        return days.filter(day => day !== undefined).length
      })
      expect(lengths).toEqual([31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    }
  })
})

describe('a timestamp of a caller', () => {
  test('a caller’s timestamp is parsed like one of Partner Center if it is RFC 3339 with a zone', () => {
    fc.assert(
      fc.property(parts, parts => {
        const text = write(parts)
        const strict = /^[^ ]+T[^,]+([Zz]|[+-]\d\d:\d\d)$/i.test(text)
        expect(parseRfc3339(text)).toEqual(strict ? parseTimestamp(text) : undefined)
      }),
      { numRuns: 5000 },
    )
  })

  test.each([
    '2026-11-20T01:00:00Z',
    '2026-11-20t01:00:00z',
    '2026-11-20T01:00:00.123456789012+23:59',
    '0001-01-01T00:00:00-00:00',
  ])('a caller’s timestamp can be %s', text => {
    expect(parseRfc3339(text)).toEqual(read(text))
  })

  test.each([
    ...['', '2026-11-20', '2026-11-20T01:00Z', '2026-11-20T01:00:00', '2026-11-20 01:00:00Z', '2026-11-20T01:00:00,5Z'],
    ...['2026-11-20T01:00:00+0100', '2026-11-20T01:00:00+01', '2026-11-20T01:00:00 01:00', '2026-02-30T00:00:00Z'],
    ...[`2026-11-20T01:00:00.${'1'.repeat(31)}Z`, '2026-11-20T01:00:00.Z', '2026-11-20T01:00:00Z '],
    ...['2026-11-20T01:00:00+24:00', '2026-11-20T01:00:00-24:00'],
  ])('a caller’s timestamp cannot be %j', text => {
    expect(parseRfc3339(text)).toBeUndefined()
  })
})

test('texts compare by code unit', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      expect(compareText(a, b)).toBe(a === b ? 0 : [a, b].sort()[0] === a ? -1 : 1)
    }),
  )
  expect(compareText('Z', 'a')).toBe(-1)
  expect(compareText('é', 'z')).toBe(1)
})
