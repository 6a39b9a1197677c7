import { type Figure, print } from './report.ts'

type Bench = { seconds: number; load: () => Promise<{ measure: () => Promise<Figure[]> }> }

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
  memory: { seconds: 90, load: () => import('./snapshot-memory.ts') },
  pace: { seconds: 90, load: () => import('./snapshot-pace.ts') },
  following: { seconds: 10, load: () => import('./following-calls.ts') },
}

const named = process.argv.slice(2)
const unknown = named.filter(name => !(name in benches))
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}. There are: ${Object.keys(benches).join(', ')}.`)
  process.exit(1)
}
const chosen = Object.entries(benches).filter(([name]) => named.length === 0 || named.includes(name))
const seconds = chosen.reduce((sum, [, bench]) => sum + bench.seconds, 0)
console.log(`About ${Math.ceil(seconds / 60)} minutes on 2 idle cores: ${chosen.map(([name]) => name).join(', ')}.`)
for (const [name, { load }] of chosen) {
  const startedAt = performance.now()
  const { measure } = await load()
  for (const figure of await measure()) print(figure)
  console.log(`     ${name} took ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
}
