import type { Random } from './random.ts'

/**
 * Faults at a single step: the minimum and maximum rate, and the seconds that each can delay a run. A world has some of
 * them, each at its own rate, so that there are worlds with one kind of fault and with nearly all.
 */
const rates = {
  'storage refuses': { rate: [0.001, 0.05], seconds: 30 },
  'storage loses an answer': { rate: [0.001, 0.05], seconds: 30 },
  'storage repeats a write': { rate: [0.001, 0.05], seconds: 0 },
  'storage is slow': { rate: [0.001, 0.05], seconds: 90 },
  'queue refuses': { rate: [0.005, 0.1], seconds: 30 },
  'queue loses an answer': { rate: [0.005, 0.1], seconds: 30 },
  'queue sends twice': { rate: [0.005, 0.1], seconds: 0 },
  'message vanishes': { rate: [0.002, 0.02], seconds: 0 },
  'lease ends early': { rate: [0.01, 0.2], seconds: 0 },
  'completion is lost': { rate: [0.01, 0.1], seconds: 0 },
  'process dies': { rate: [0.001, 0.02], seconds: 0 },
  'process freezes': { rate: [0.0003, 0.006], seconds: 1500 },
  'sign-in is slow': { rate: [0.05, 0.5], seconds: 200 },
  'upstream throttles': { rate: [0.01, 0.2], seconds: 200 },
  'upstream fails': { rate: [0.01, 0.2], seconds: 20 },
  'upstream resets': { rate: [0.01, 0.1], seconds: 20 },
  'upstream hangs': { rate: [0.005, 0.05], seconds: 150 },
  'customer list is cut short': { rate: [0.05, 0.5], seconds: 0 },
  'customer changes between requests': { rate: [0.02, 0.2], seconds: 0 },
} as const

export type FaultName = keyof typeof rates

/** Faults that last for a while: their minutes, and how often they happen in a day. */
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
  /** Milliseconds until it ends. 0 if it is not active. */
  msLeft: (name: SpellName) => number
  /** True if the spell was active at any time since `from`. */
  wasOn: (name: SpellName, from: number) => boolean
  /** Records a delay of everything in progress. */
  delayed: (ms: number) => void
  /** How long all faults since then can have delayed a run, in milliseconds. */
  delaysSince: (from: number) => number
  /** The spells of a day, which are planned ahead. */
  spellsOfDay: () => { name: SpellName; minutes: number }[]
  begin: (name: SpellName, minutes: number) => void
  /** From then on, there are no faults. */
  stop: () => void
  /** The rates of this world, for the trace. */
  described: string[]
}

const share = 0.5

export function createFaults(random: Random, now: () => number, isFaulty: boolean): Faults {
  const chosen = new Map<FaultName, number>()
  for (const [name, { rate: range }] of Object.entries(rates)) {
    const rate = random.spread(range[0], range[1])
    if (random.chance(share) && isFaulty) chosen.set(name as FaultName, rate)
  }
  const possible = Object.keys(spells).filter(() => random.chance(share) && isFaulty) as SpellName[]
  /** The end of each spell. */
  const until = new Map<SpellName, number>()
  const delays: { at: number; ms: number }[] = []
  let stopped = false

  const faults: Faults = {
    strikes(name, weight = 1) {
      const rate = chosen.get(name)
      if (rate === undefined || stopped || !random.chance(Math.min(0.5, rate * weight))) return false
      if (rates[name].seconds > 0) delays.push({ at: now(), ms: rates[name].seconds * 1000 })
      return true
    },
    delayed(ms) {
      delays.push({ at: now(), ms })
    },
    delaysSince: from => delays.reduce((sum, { at, ms }) => (at + ms >= from ? sum + ms : sum), 0),
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
      if (stopped) return
      until.set(name, Math.max(until.get(name) ?? 0, now() + minutes * 60_000))
      delays.push({ at: now(), ms: minutes * 60_000 })
    },
    stop() {
      stopped = true
      for (const [name, at] of until) until.set(name, Math.min(at, now()))
    },
    described: [...[...chosen].map(([name, rate]) => `${name} ${(100 * rate).toFixed(2)} %`), ...possible],
  }
  return faults
}
