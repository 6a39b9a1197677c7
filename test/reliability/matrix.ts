import { createLimit } from '../../shared/runtime/in-order.ts'
import { startWorld } from './app-behind-faults.ts'
import { type Result, runBackgroundCell, takeSnapshotIn } from './background-cells.ts'
import { type Cell, type Dependency, expectedOf, mostMs, type OperationName, operations } from './expectations.ts'
import { type FaultName, faults } from './faults.ts'
import { type Reader, startReader } from './read-cells.ts'

export type CellResult = Cell & Result

/** Every operation with every dependency that it asks, under every fault. */
export const cells: readonly Cell[] = (Object.entries(operations) as [OperationName, readonly Dependency[]][]).flatMap(
  ([operation, dependencies]) =>
    dependencies.flatMap(dependency =>
      (Object.keys(faults) as FaultName[]).map(fault => ({ operation, dependency, fault })),
    ),
)

/** Cells that run at a time: nearly all of their time is waiting. */
const atOnce = 24

/** These compute so much that the others would be late. */
const isHeavy = ({ fault }: Cell): boolean => fault === 'huge' || fault === 'exploding'
/** The identity endpoint is one for all apps in this process. */
const isForAll = ({ dependency, fault }: Cell): boolean => dependency === 'identity' && fault === 'connection refused'

/** Runs cells over the wire, and returns what came of them. */
export async function runMatrix(storage: string, cells: readonly Cell[]): Promise<CellResult[]> {
  const results: CellResult[] = []
  const run = async (cell: Cell, work: () => Promise<Result>): Promise<void> => {
    try {
      results.push({ ...cell, ...(await work()) })
    } catch (cause) {
      throw new Error(`${cell.operation}, ${cell.dependency}: ${cell.fault}`, { cause })
    }
  }
  const background = cells.filter(({ operation }) => operation !== 'read')
  const inBackground = (cell: Cell) =>
    run(cell, () =>
      runBackgroundCell(storage, cell.operation as Exclude<OperationName, 'read'>, cell.dependency, faults[cell.fault]),
    )
  const limit = createLimit(atOnce)
  const together = background.filter(cell => !isHeavy(cell) && !isForAll(cell))
  await Promise.all(together.map(cell => limit(() => inBackground(cell))))
  for (const cell of background) if (!together.includes(cell)) await inBackground(cell)

  const reads = cells.filter(({ operation }) => operation === 'read')
  const container = reads.length === 0 ? undefined : await makeSnapshot(storage)
  const perDependency = Map.groupBy(reads, ({ dependency }) => dependency)
  await Promise.all(
    [...perDependency].map(async ([dependency, cells]) => {
      let reader: Reader | undefined
      try {
        reader = await startReader(storage, dependency as Exclude<Dependency, 'queue'>, container)
        for (const cell of cells) await run(cell, async () => (reader as Reader).run(faults[cell.fault]))
      } finally {
        await reader?.stop()
      }
    }),
  )
  return results
}

/** A container with a snapshot, for reads of it. */
async function makeSnapshot(storage: string): Promise<string> {
  const world = await startWorld(storage, 'blob')
  const status = await takeSnapshotIn(world, world.newApp())
  await world.stop()
  if (status !== 'succeeded') throw new Error(`The snapshot to read from: ${status}`)
  return world.container
}

/** What is not as it should be, cell by cell. */
export const faultsOf = (results: readonly CellResult[]): string[] =>
  results.flatMap(result => {
    const { operation, dependency, fault, outcome, ms, afterwards } = result
    const expected = expectedOf(result)
    const most = mostMs(result)
    const wrong = [
      ...(expected.includes(outcome) ? [] : [`${outcome} instead of ${expected.join(' or ')}`]),
      ...(most !== undefined && ms > most ? [`after ${Math.round(ms)} ms`] : []),
      ...(afterwards === '' ? [] : [afterwards]),
    ]
    return wrong.map(what => `${operation}, ${dependency}: ${fault}: ${what}`)
  })
