import { rmSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { z } from 'zod'
import { root } from '../build/bundle.ts'
import { CommandError } from '../processes/command-error.ts'

/** The data that `npm start` publishes for the other commands while it runs. */
const runningSchema = z.object({
  pid: z.number(),
  url: z.string(),
  storage: z.string(),
  /** The container of the snapshots. */
  container: z.string(),
  /** The simulator over plain HTTP, which a browser opens without a warning. */
  plainUrl: z.string(),
  certificateFile: z.string(),
  settings: z.record(z.string(), z.string()),
})

type RunningStart = z.infer<typeof runningSchema>

/** The data folder of `npm start`: `.local`, or `LOCAL_DATA_FOLDER`. */
export const dataFolder = (env: Readonly<Record<string, string | undefined>>): string =>
  env.LOCAL_DATA_FOLDER ?? `${root}.local`

const runningFile = (folder: string): string => join(folder, 'running.json')

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // The process exists, but belongs to another account.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** The `npm start` that uses this folder, or undefined. */
async function findRunning(folder: string): Promise<RunningStart | undefined> {
  const text = await readFile(runningFile(folder), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const found = runningSchema.parse(JSON.parse(text))
    return isAlive(found.pid) ? found : undefined
  } catch {
    // The file is truncated, or of another version.
    return undefined
  }
}

/** The `npm start` that uses this folder. Throws if there is none. */
export async function requireRunning(folder: string): Promise<RunningStart> {
  const found = await findRunning(folder)
  if (found === undefined)
    throw new CommandError('Nothing runs on this machine. Run "npm start" in another terminal first.')
  return found
}

/**
 * Creates the folder. Refuses one that another `npm start` uses, because two storages would damage each other's data.
 */
export async function openDataFolder(folder: string): Promise<void> {
  const other = await findRunning(folder)
  if (other !== undefined) {
    const name = relative(process.cwd(), folder) || folder
    throw new CommandError(
      `npm start runs already: ${other.url}/ (process ${other.pid}, data in ${name}). End it with Ctrl-C, or set LOCAL_DATA_FOLDER to another folder.`,
    )
  }
  await mkdir(folder, { recursive: true })
}

/** Publishes the running services until this process ends. Only this account can read the file. */
export async function publishRunning(folder: string, found: Omit<RunningStart, 'pid'>): Promise<void> {
  const file = runningFile(folder)
  const text = JSON.stringify({ pid: process.pid, ...found }, null, 2)
  await writeFile(`${file}.${process.pid}`, text, { mode: 0o600 })
  await rename(`${file}.${process.pid}`, file)
  process.once('exit', () => rmSync(file, { force: true }))
}
