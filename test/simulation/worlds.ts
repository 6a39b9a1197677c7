import { expect } from 'vitest'
import { runWorld } from './world.ts'

/** The failing worlds that are reported in full. Others are only counted. */
const mostTold = 3

export const replay = (seed: number): string => `SIMULATION_SEED=${seed} npm test -- test/simulation`

/** Runs the worlds of some seeds. A failure is reported with the command that replays it. */
export async function expectSoundWorlds(first: number, last: number): Promise<void> {
  const failures: string[] = []
  // Thousands of errors are expected, and nobody reads their stacks.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  for (let seed = first; seed <= last; seed++) {
    const { findings } = await runWorld(seed)
    if (findings.length === 0) continue
    const told = findings.slice(0, 3).map(({ rule, detail }) => `  ${rule}: ${detail}`)
    failures.push([replay(seed), ...told].join('\n'))
  }
  Error.stackTraceLimit = stackTraceLimit
  const more = failures.slice(mostTold).map(failure => failure.slice(0, failure.indexOf('\n')))
  expect([...failures.slice(0, mostTold), ...more].join('\n')).toBe('')
}
