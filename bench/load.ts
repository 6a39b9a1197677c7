import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { buildApp, bundle, root } from '../local/build/bundle.ts'
import { type Figure, summarize } from './report.ts'

const run = promisify(execFile)
const rounds = 15

/** Prints the milliseconds of CPU that the import of an entry takes in a new process with the worker's core module. */
const probe = `
import { Module } from 'node:module'
const core = { registerFunction() {}, registerHook() {}, setProgrammingModel() {}, log() {} }
const original = Module.prototype.require
Module.prototype.require = function (id) { return id === '@azure/functions-core' ? core : original.call(this, id) }
const startedAt = process.cpuUsage()
await import(process.argv[2])
const { user, system } = process.cpuUsage(startedAt)
console.log((user + system) / 1000)
`

export async function measure(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-load-'))
  const script = join(folder, 'probe.mjs')
  await writeFile(script, probe)
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await buildApp()
  await bundle(['./bench/scenes/empty-function.ts'], join(folder, 'empty'))
  const load = async (entry: string) => Number((await run(process.execPath, [script, entry])).stdout)
  try {
    const ours = `${root}dist/main.js`
    const empty = join(folder, 'empty/main.js')
    await load(ours)
    await load(empty)
    const [app, baseline]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      app.push(await load(ours))
      baseline.push(await load(empty))
    }
    const result = summarize(app, baseline)
    return [
      {
        what: 'loading the built entry',
        baseline: 'an app with one empty HTTP function, bundled the same way',
        ratio: result.ratio,
        spread: result.spread,
        target: { atMost: 1.2 },
        values: `${result.ours.toFixed(1)} against ${result.baseline.toFixed(1)} ms of CPU, ${rounds} fresh processes each`,
      },
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}
