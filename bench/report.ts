/** One figure of a benchmark: what was measured, against what, and the target it is held to. */
export type Figure = {
  what: string
  /** How the baseline is made. */
  baseline: string
  ratio: number
  /** The ratio has to be at most (or at least) this. */
  target: { atMost: number } | { atLeast: number }
  /** The measured values behind the ratio, with their unit. */
  values: string
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

export function print({ what, baseline, ratio, target, values }: Figure): void {
  const [word, limit, holds] =
    'atMost' in target
      ? ['at most', target.atMost, ratio <= target.atMost]
      : ['at least', target.atLeast, ratio >= target.atLeast]
  console.log(
    `${holds ? 'ok  ' : 'MISS'} ${what}: ${ratio.toFixed(limit < 0.1 ? 4 : 2)} (${word} ${limit})\n       against ${baseline}\n       ${values}`,
  )
}

/** Runs two measurements by turns, so that both see the same machine, and returns the medians. */
export async function alternate(
  rounds: number,
  a: () => number | Promise<number>,
  b: () => number | Promise<number>,
): Promise<[number, number]> {
  const [as, bs]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    as.push(await a())
    bs.push(await b())
  }
  return [median(as), median(bs)]
}
