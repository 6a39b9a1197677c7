import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { buildApp, bundle, root } from '../local/build/bundle.ts'
import { startSimulator } from '../local/simulator/simulator.ts'
import { type Figure, summarize } from './report.ts'

const run = promisify(execFile)
const rounds = 7

type Start = { ms: number; cpuMs: number }

/** The usual way as one file. Its packages are loaded from `node_modules`. */
async function compileUsualWay(folder: string): Promise<string> {
  await build({
    entryPoints: [`${root}bench/scenes/usual-way.ts`],
    outdir: join(folder, 'usual'),
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    logLevel: 'warning',
  })
  return join(folder, 'usual/usual-way.js')
}

/** From the start of the process to the first order: vault, token and order over TLS, each start in a new process. */
export async function measure(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-start-'))
  const simulator = await startSimulator()
  try {
    await writeFile(join(folder, 'simulator.pem'), simulator.certificate)
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
    await symlink(`${root}node_modules`, join(folder, 'node_modules'))
    await buildApp(join(folder, 'app'))
    await bundle(['./bench/scenes/start-probe.ts'], join(folder, 'probe'))
    await bundle(['./bench/scenes/smallest-script.ts'], join(folder, 'smallest'))
    const usualEntry = await compileUsualWay(folder)

    const env = {
      ...process.env,
      ...simulator.settings,
      AzureWebJobsStorage: 'UseDevelopmentStorage=true',
      NODE_EXTRA_CA_CERTS: join(folder, 'simulator.pem'),
    }
    const customer = simulator.partnerCenter.customers[0]?.id ?? ''
    const start = async (...args: string[]): Promise<Start> =>
      JSON.parse((await run(process.execPath, args, { env })).stdout) as Start
    const probe = join(folder, 'probe/main.js')
    const starts = {
      ours: () => start(probe, join(folder, 'app/main.js'), 'get-customer-orders', customer),
      smallest: () => start(join(folder, 'smallest/main.js'), customer),
      usual: () => start(probe, usualEntry, 'baseline-usual-way', customer),
    }
    type Name = keyof typeof starts
    const results: Record<Name, Start[]> = { ours: [], smallest: [], usual: [] }
    const names = Object.keys(starts) as Name[]
    for (const name of names) await starts[name]()
    for (let round = 0; round < rounds; round++) {
      for (const name of names) results[name].push(await starts[name]())
    }
    const column = (name: Name, field: keyof Start) => results[name].map(result => result[field])
    const figure = (against: Name, baseline: string, atMost: number): Figure => {
      const time = summarize(column('ours', 'ms'), column(against, 'ms'))
      const cpu = summarize(column('ours', 'cpuMs'), column(against, 'cpuMs'))
      return {
        what: 'process start to first order, the built app',
        baseline,
        ratio: time.ratio,
        spread: time.spread,
        target: { atMost },
        values:
          `${time.ours.toFixed(0)} against ${time.baseline.toFixed(0)} ms; ` +
          `CPU ${cpu.ours.toFixed(0)} against ${cpu.baseline.toFixed(0)} ms (ratio ${cpu.ratio.toFixed(2)}); ` +
          `${rounds} fresh processes each, vault, token and order over TLS`,
      }
    }
    return [
      figure('smallest', 'the smallest bundled script with the same SDKs', 1.2),
      figure('usual', 'the usual way, unbundled', 0.7),
    ]
  } finally {
    await simulator.stop()
    await rm(folder, { recursive: true })
  }
}
