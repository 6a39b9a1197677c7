/** The rules of every world, with the names for reports of a violation. */
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
