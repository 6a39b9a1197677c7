import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../local/build/bundle.ts'
import type { Figure } from './report.ts'

const run = promisify(execFile)
const heapLimits = ['--max-old-space-size=128', '--max-semi-space-size=4']
const bounds = { bytes: 200e3, peak: 64e6 }

type Report = { bytes: number; peak: number; cpu: number }

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

/** The report of a run of 10,000 customers × 20 orders: its size, and what making it costs. */
export async function measure(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'report-'))
  try {
    const scene = async (mode: string, flags: string[]) => {
      const args = ['--expose-gc', ...flags, `${root}bench/scenes/run-report.ts`, folder, mode]
      return (await run(process.execPath, args, { timeout: 600_000 })).stdout.trim()
    }
    await scene('write', [])
    const files = JSON.parse(await scene('files', heapLimits)) as Report
    const orders = JSON.parse(await scene('orders', heapLimits)) as Report
    const memory = (what: string, { peak, cpu }: Report): Figure => ({
      what: `the report of 10,000 customers × 20 orders${what}: peak resident memory above idle`,
      baseline: `the bound of ${megabytes(bounds.peak)}, under ${heapLimits.join(' ')}`,
      ratio: peak / bounds.peak,
      target: { atMost: 1 },
      values: `${megabytes(peak)}, CPU ${cpu.toFixed(0)} ms, storage on disk`,
    })
    return [
      {
        what: 'the report of 10,000 customers × 20 orders, 500 failed, 4,000 changes: size of the page',
        baseline: `the bound of ${bounds.bytes / 1000} KB`,
        ratio: files.bytes / bounds.bytes,
        target: { atMost: 1 },
        values: `${(files.bytes / 1000).toFixed(1)} KB`,
      },
      memory('', files),
      memory(' of an earlier version, without Parquet files', orders),
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}
