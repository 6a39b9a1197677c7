export type Trace = {
  /** Adds one line for a step. `line` is only called if the trace is kept. */
  say: (who: string, line: () => string) => void
  lines: string[]
}

/** The steps of a world, one line each, in true time since its start: day, hour, minute, second. */
export function createTrace(isKept: boolean, start: number, now: () => number): Trace {
  const lines: string[] = []
  return {
    lines,
    say(who, line) {
      if (!isKept) return
      const time = new Date(now() - start).toISOString()
      lines.push(`day ${Math.floor((now() - start) / 86_400_000) + 1} ${time.slice(11, 23)} ${who.padEnd(9)} ${line()}`)
    },
  }
}

/** The name of a blob without its common parts. */
export const short = (name: string): string =>
  name.replace(/^(snapshots|changes|lines|following)\/date=[^/]*\/run=/, (_, root: string) =>
    root === 'snapshots' ? '' : `${root} `,
  )

/** The last digits of a customer's id. */
export const shortId = (customerTenantId: string): string => `c${customerTenantId.slice(-3)}`
