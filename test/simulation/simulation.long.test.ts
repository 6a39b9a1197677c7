import './immediate-zlib.ts'
import { test } from 'vitest'
import { expectSoundWorlds } from './worlds.ts'

const [first = 1, last = 3000] = (process.env.SIMULATION_SEEDS ?? '1-3000').split('-').map(Number)
const atOnce = 100

for (let seed = first; seed <= last; seed += atOnce) {
  const end = Math.min(last, seed + atOnce - 1)
  test(`worlds ${seed} to ${end}`, () => expectSoundWorlds(seed, end), 600_000)
}
