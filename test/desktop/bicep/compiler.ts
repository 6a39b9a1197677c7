import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { root } from '../../../local/build/bundle.ts'
import { programs } from '../../support/programs.ts'

const run = promisify(execFile)

export type Compiled = { exitCode: number; stdout: string; diagnostics: string }

/** Runs the Bicep compiler. Warnings and errors go to stderr, so a clean build leaves it empty. */
export async function bicep(args: string[], env: Record<string, string> = {}): Promise<Compiled> {
  if (programs.bicep === undefined) throw new Error('Bicep is not installed: infra/tools/install-bicep.sh')
  const options = { cwd: root, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 }
  try {
    const { stdout, stderr } = await run(programs.bicep, args, options)
    return { exitCode: 0, stdout, diagnostics: stderr.trim() }
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string }
    if (typeof code !== 'number') throw error
    return { exitCode: code, stdout, diagnostics: stderr.trim() }
  }
}
