import { type Figure, print } from './report.ts'

/** `npm run bench [name …]`: every benchmark, or those named. Ratios against a baseline that is measured in the same run. */
const benches: Record<string, () => Promise<{ measure: () => Promise<Figure[]> }>> = {
  load: () => import('./load.ts'),
  warm: () => import('./warm.ts'),
  large: () => import('./large.ts'),
  lists: () => import('./lists.ts'),
  throughput: () => import('./snapshot-throughput.ts'),
  memory: () => import('./snapshot-memory.ts'),
  pace: () => import('./snapshot-pace.ts'),
  following: () => import('./following-calls.ts'),
}

const names = process.argv.slice(2)
const unknown = names.filter(name => !(name in benches))
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}. There are: ${Object.keys(benches).join(', ')}.`)
  process.exit(1)
}
if (names.length === 0) {
  console.log(`All benchmarks take about six minutes. For some: npm run bench -- ${Object.keys(benches).join(' ')}\n`)
}
for (const [name, load] of Object.entries(benches)) {
  if (names.length > 0 && !names.includes(name)) continue
  const { measure } = await load()
  for (const figure of await measure()) print(figure)
}
