/** 20 minutes after midnight UTC, because orders take up to 15 minutes to appear. */
export const defaultSnapshotSchedule = '0 20 0 * * *'

export const defaultFollowSchedule = '0 */10 * * * *'

type Field = { least: number; most: number; names?: RegExp }

const months =
  /^(jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sep(tember)?|oct(ober)?|nov(ember)?|dec(ember)?)$/i
const weekdays = /^(sun(day)?|mon(day)?|tue(sday)?|wed(nesday)?|thu(rsday)?|fri(day)?|sat(urday)?)$/i

/** The six fields of NCRONTAB, from seconds to the day of the week (github.com/atifaziz/NCrontab). */
const fields: readonly Field[] = [
  { least: 0, most: 59 },
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  { least: 1, most: 12, names: months },
  { least: 0, most: 6, names: weekdays },
]

/** True for an NCRONTAB expression of six fields, or five without the seconds. */
export function isSchedule(text: string): boolean {
  const given = text.trim().split(/\s+/)
  if (given.length !== 5 && given.length !== 6) return false
  const expected = fields.slice(fields.length - given.length)
  return expected.every((field, index) => isField(given[index] ?? '', field))
}

function isField(text: string, { least, most, names }: Field): boolean {
  const isValue = (value: string) =>
    names?.test(value) || (/^\d{1,2}$/.test(value) && Number(value) >= least && Number(value) <= most)
  return text.split(',').every(part => {
    const [, values = '', step] = /^([^/]+)(?:\/(\d{1,4}))?$/.exec(part) ?? []
    if (step !== undefined && Number(step) === 0) return false
    const ends = values.split('-')
    return values === '*' || (ends.length <= 2 && ends.every(isValue))
  })
}
