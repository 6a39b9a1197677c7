import './immediate-zlib.ts'
import { expect, test } from 'vitest'
import { runWorld } from './world.ts'
import { expectSoundWorlds } from './worlds.ts'

const replayed = Number(process.env.SIMULATION_SEED ?? 0)
const worlds = 300
const atOnce = 50

if (replayed > 0) {
  test(`world ${replayed}, with its trace`, async () => {
    const { lines, findings } = await runWorld(replayed, { isTraced: true })
    process.stdout.write(`${lines.join('\n')}\n`)
    expect(findings).toEqual([])
  })
} else {
  for (let first = 1; first <= worlds; first += atOnce) {
    test(`worlds ${first} to ${first + atOnce - 1}`, () => expectSoundWorlds(first, first + atOnce - 1), 120_000)
  }

  test('the same seed gives the same world', async () => {
    const [one, other] = [await runWorld(7, { isTraced: true }), await runWorld(7, { isTraced: true })]
    expect(one.lines.length).toBeGreaterThan(500)
    expect(other.lines).toEqual(one.lines)
  })
}
