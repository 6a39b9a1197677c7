import { type Figure, print } from './report.ts'

/** `npm run bench [name …]`: every benchmark, or those named. Ratios against a baseline that is measured in the same run. */
const benches: Record<string, () => Promise<{ measure: () => Promise<Figure[]> }>> = {
  load: () => import('./load.ts'),
  start: () => import('./start.ts'),
  warm: () => import('./warm.ts'),
  mixed: () => import('./mixed.ts'),
  large: () => import('./large.ts'),
  lists: () => import('./lists.ts'),
  throughput: () => import('./snapshot-throughput.ts'),
  memory: () => import('./snapshot-memory.ts'),
  pace: () => import('./snapshot-pace.ts'),
}

const names = process.argv.slice(2)
for (const [name, load] of Object.entries(benches)) {
  if (names.length > 0 && !names.includes(name)) continue
  const { measure } = await load()
  for (const figure of await measure()) print(figure)
}
