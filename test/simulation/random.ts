export type Random = {
  /** In [0, 1). */
  next: () => number
  chance: (probability: number) => boolean
  /** A whole number, both ends included. */
  between: (least: number, most: number) => number
  pick: <T>(items: readonly T[]) => T
  /** Between the two, evenly on a logarithmic scale. */
  spread: (least: number, most: number) => number
}

/** Numbers that depend only on the seed (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return {
    next,
    between,
    chance: probability => next() < probability,
    pick: items => {
      if (items.length === 0) throw new RangeError('There is nothing to pick from')
      return items[between(0, items.length - 1)] as (typeof items)[number]
    },
    spread: (least, most) => least * (most / least) ** next(),
  }
}
