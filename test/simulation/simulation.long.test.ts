import './immediate-zlib.ts'
import { afterAll, test } from 'vitest'
import { recordFigures } from '../reliability/figures.ts'
import { expectSoundWorlds } from './worlds.ts'

const [first = 1, last = 3000] = (process.env.SIMULATION_SEEDS ?? '1-3000').split('-').map(Number)
const atOnce = 100

const startedAt = Date.now()
let sound = 0
afterAll(() => recordFigures('simulation', { worlds: sound, seconds: Math.round((Date.now() - startedAt) / 1000) }))

for (let seed = first; seed <= last; seed += atOnce) {
  const end = Math.min(last, seed + atOnce - 1)
  test(`worlds ${seed} to ${end}`, { timeout: 600_000 }, async () => {
    await expectSoundWorlds(seed, end)
    sound += end - seed + 1
  })
}
