import type { Random } from './random.ts'

/**
 * What can go wrong at a single step, with the least and the largest rate. A world has some of them, each at a rate of
 * its own, so that there are worlds with one kind of fault and worlds with nearly all.
 */
const rates = {
  'storage refuses': [0.001, 0.05],
  'storage loses an answer': [0.001, 0.05],
  'storage repeats a write': [0.001, 0.05],
  'storage is slow': [0.001, 0.05],
  'queue refuses': [0.005, 0.1],
  'queue loses an answer': [0.005, 0.1],
  'queue sends twice': [0.005, 0.1],
  'message vanishes': [0.002, 0.02],
  'lease ends early': [0.01, 0.2],
  'completion is lost': [0.01, 0.1],
  'process dies': [0.001, 0.02],
  'process freezes': [0.0003, 0.006],
  'sign-in is slow': [0.05, 0.5],
  'upstream throttles': [0.01, 0.2],
  'upstream fails': [0.01, 0.2],
  'upstream resets': [0.01, 0.1],
  'upstream hangs': [0.005, 0.05],
  'customer list is cut short': [0.05, 0.5],
  'customer changes between requests': [0.02, 0.2],
} as const

export type FaultName = keyof typeof rates

/** What can go wrong for a while: minutes it lasts, and how often a day. */
const spells = {
  'a blob is leased': { minutes: [2, 200], perDay: 0.7 },
  'storage is down': { minutes: [1, 15], perDay: 2 },
  'credential is refused': { minutes: [2, 90], perDay: 1.5 },
  'sign-in is refused': { minutes: [2, 60], perDay: 0.7 },
  'sign-in hangs': { minutes: [0.5, 8], perDay: 1 },
  'upstream is down': { minutes: [1, 45], perDay: 1 },
} as const

export type SpellName = keyof typeof spells

export type Faults = {
  /** True if the fault happens now. */
  strikes: (name: FaultName, weight?: number) => boolean
  isOn: (name: SpellName) => boolean
  /** Milliseconds until it is over; 0 if it is not on. */
  msLeft: (name: SpellName) => number
  /** True if the spell was on at any time from `from` on. */
  wasOn: (name: SpellName, from: number) => boolean
  /** What may go wrong on a day, to be planned ahead. */
  spellsOfDay: () => { name: SpellName; minutes: number }[]
  begin: (name: SpellName, minutes: number) => void
  /** From here on nothing goes wrong any more. */
  stop: () => void
  /** Rates of this world, for the trace. */
  described: string[]
}

const share = 0.5

export function createFaults(random: Random, now: () => number, isFaulty: boolean): Faults {
  const chosen = new Map<FaultName, number>()
  for (const [name, [least, most]] of Object.entries(rates)) {
    const rate = random.spread(least, most)
    if (random.chance(share) && isFaulty) chosen.set(name as FaultName, rate)
  }
  const possible = Object.keys(spells).filter(() => random.chance(share) && isFaulty) as SpellName[]
  /** Until when each is on. */
  const until = new Map<SpellName, number>()
  let stopped = false

  const faults: Faults = {
    strikes(name, weight = 1) {
      const rate = chosen.get(name)
      return rate !== undefined && !stopped && random.chance(Math.min(0.5, rate * weight))
    },
    isOn: name => faults.msLeft(name) > 0,
    msLeft: name => Math.max(0, (until.get(name) ?? 0) - now()),
    wasOn: (name, from) => (until.get(name) ?? 0) >= from,
    spellsOfDay: () =>
      possible.flatMap(name => {
        const { minutes, perDay } = spells[name]
        const times = Math.floor(perDay) + (random.chance(perDay % 1) ? 1 : 0)
        return Array.from({ length: times }, () => ({ name, minutes: random.spread(minutes[0], minutes[1]) }))
      }),
    begin(name, minutes) {
      if (!stopped) until.set(name, Math.max(until.get(name) ?? 0, now() + minutes * 60_000))
    },
    stop() {
      stopped = true
      for (const [name, at] of until) until.set(name, Math.min(at, now()))
    },
    described: [...[...chosen].map(([name, rate]) => `${name} ${(100 * rate).toFixed(2)} %`), ...possible],
  }
  return faults
}
