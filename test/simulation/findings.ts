/** The rules that have to hold in every world, by the name under which a breach is reported. */
export type Finding = { rule: string; detail: string }

export type Findings = {
  list: Finding[]
  broken: (rule: string, detail: string) => void
}

const most = 20

export function createFindings(say: (line: () => string) => void): Findings {
  const list: Finding[] = []
  return {
    list,
    broken(rule, detail) {
      say(() => `!!! ${rule}: ${detail}`)
      if (list.length < most) list.push({ rule, detail })
    },
  }
}
