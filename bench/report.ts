/** One figure of a benchmark: the measurement, its baseline and its target. */
export type Figure = {
  what: string
  /** How the baseline is measured. */
  baseline: string
  ratio: number
  /** The quartiles of the ratio over paired rounds. */
  spread?: [number, number]
  /** The ratio must be at most, or at least, this. */
  target: { atMost: number } | { atLeast: number }
  /** The measured values behind the ratio, with their unit. */
  values: string
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

export function print({ what, baseline, ratio, spread, target, values }: Figure): void {
  const [word, limit, holds] =
    'atMost' in target
      ? ['at most', target.atMost, ratio <= target.atMost]
      : ['at least', target.atLeast, ratio >= target.atLeast]
  const range = spread === undefined ? '' : ` [${spread.map(edge => edge.toFixed(2)).join('–')}]`
  console.log(
    `${holds ? 'ok  ' : 'MISS'} ${what}: ${ratio.toFixed(limit < 0.1 ? 4 : 2)}${range} (${word} ${limit})\n       against ${baseline}\n       ${values}`,
  )
}

/** Runs two measurements alternately, so that both have the same conditions, and returns the medians. */
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

export type Pairs = {
  /** Median of each measurement. */
  ours: number
  baseline: number
  /** Median and quartiles of ours ÷ baseline, each ratio taken within one round. */
  ratio: number
  spread: [number, number]
}

const quantile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN
}

/** The result of paired rounds. Each ratio compares two measurements under the same conditions. */
export function summarize(ours: readonly number[], baseline: readonly number[]): Pairs {
  const ratios = ours.map((value, round) => value / (baseline[round] ?? Number.NaN))
  return {
    ours: median(ours),
    baseline: median(baseline),
    ratio: median(ratios),
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
  }
}
