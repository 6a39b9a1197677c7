import { type Figure, print } from './report.ts'

type Bench = {
  seconds: number
  /** It waits for its pace most of the time. The benchmarks after it run meanwhile, and measure memory and calls. */
  waits?: true
  load: () => Promise<{ measure: () => Promise<Figure[]> }>
}

/**
 * `npm run bench [name …]`: every benchmark, or the named ones. Each ratio has a baseline that is measured in the same
 * run. `seconds` is the duration of each on an idle machine with 2 cores.
 */
const benches: Record<string, Bench> = {
  load: { seconds: 5, load: () => import('./load.ts') },
  start: { seconds: 10, load: () => import('./start.ts') },
  warm: { seconds: 30, load: () => import('./warm.ts') },
  mixed: { seconds: 40, load: () => import('./mixed.ts') },
  large: { seconds: 60, load: () => import('./large.ts') },
  lists: { seconds: 20, load: () => import('./lists.ts') },
  report: { seconds: 60, load: () => import('./run-report.ts') },
  lines: { seconds: 90, load: () => import('./lines.ts') },
  throughput: { seconds: 90, load: () => import('./snapshot-throughput.ts') },
  pace: { seconds: 110, waits: true, load: () => import('./snapshot-pace.ts') },
  memory: { seconds: 110, load: () => import('./snapshot-memory.ts') },
  following: { seconds: 20, load: () => import('./following-calls.ts') },
}

const named = process.argv.slice(2)
const unknown = named.filter(name => !(name in benches))
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}. There are: ${Object.keys(benches).join(', ')}.`)
  process.exit(1)
}
const chosen = Object.entries(benches).filter(([name]) => named.length === 0 || named.includes(name))
const secondsOf = (some: typeof chosen) => some.reduce((sum, [, bench]) => sum + bench.seconds, 0)
const waiting = chosen.findIndex(([, { waits }]) => waits)
const meanwhile = waiting < 0 ? [] : chosen.splice(waiting)
const seconds = secondsOf(chosen) + Math.max(secondsOf(meanwhile.slice(0, 1)), secondsOf(meanwhile.slice(1)))
console.log(
  `About ${Math.ceil(seconds / 60)} minutes on 2 idle cores: ${[...chosen, ...meanwhile].map(([name]) => name).join(', ')}.`,
)

async function measureAll(some: typeof chosen): Promise<void> {
  for (const [name, { load }] of some) {
    const startedAt = performance.now()
    const { measure } = await load()
    for (const figure of await measure()) print(figure)
    console.log(`     ${name} took ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
  }
}

await measureAll(chosen)
await Promise.all([measureAll(meanwhile.slice(0, 1)), measureAll(meanwhile.slice(1))])
