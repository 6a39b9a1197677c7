import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { CellResult } from './matrix.ts'

/** What long tests have measured; `npm run reliability` measures it anew. */
export type Figures = {
  /** Operation, dependency, fault, outcome, seconds, requests. */
  matrix: [string, string, string, string, number, number][]
  fuzz: { requests: number; seconds: number; outcomes: Record<string, number>; peakMebibytes: number | undefined }
  load: {
    sent: number
    refused: number
    failed: number
    slowestSeconds: number
    peakMebibytes: number | undefined
    afterwardsMs: number
  }
  simulation: { worlds: number; seconds: number }
  /** How many snapshots it took, and where a host was killed in them. */
  kills: { snapshots: number; killed: string[] }
  /** Before and after: megabytes of heap, open sockets. */
  soak: {
    minutes: number
    requests: number
    lost: number
    slowestSeconds: number
    heapMegabytes: [number, number]
    sockets: [number, number]
  }
}

const fileOf = (name: keyof Figures): URL => new URL(`./figures/${name}.json`, import.meta.url)

/** The figures of a test; undefined if it was not recorded yet. */
export const readFigures = <Name extends keyof Figures>(name: Name): Figures[Name] | undefined =>
  existsSync(fileOf(name)) ? (JSON.parse(readFileSync(fileOf(name), 'utf8')) as Figures[Name]) : undefined

/** Writes figures down if the run is one that records. */
export function recordFigures<Name extends keyof Figures>(name: Name, figures: Figures[Name]): void {
  if (process.env.RECORD_FIGURES !== 'true') return
  const text = Array.isArray(figures)
    ? `[\n${figures.map(row => `  [${row.map(value => JSON.stringify(value)).join(', ')}]`).join(',\n')}\n]`
    : JSON.stringify(figures, null, 2)
  writeFileSync(fileOf(name), `${text}\n`)
}

export const tenth = (value: number): number => Math.round(value * 10) / 10

/** The order of the cells, so that two runs can be compared. */
export const toRows = (results: readonly CellResult[]): Figures['matrix'] =>
  results.map(({ operation, dependency, fault, outcome, ms, requests }) => [
    operation,
    dependency,
    fault,
    outcome,
    tenth(ms / 1000),
    requests,
  ])
