import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { root } from '../build/bundle.ts'

/**
 * `npm run reliability [-- FOLDER …]`: runs the long tests of reliability, or those of some folders, and writes what they
 * have measured into docs/reliability.md. One after the other, so that none makes another late.
 */
const [...given] = process.argv.slice(2)
const folders = given.length > 0 ? given : ['test/reliability', 'test/simulation', 'test/chaos']
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
const options = ['run', '--config', 'vitest.long.config.ts', '--mode', 'record', '--no-file-parallelism']
const run = (script: string, ...args: string[]) =>
  execFileSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' })

run(vitest, ...options, ...folders)
run('test/reliability/write-document.ts')
