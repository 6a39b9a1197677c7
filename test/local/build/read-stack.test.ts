import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../../../local/build/bundle.ts'
import { type Package, packageApp } from '../../../local/build/package.ts'
import { readStack } from '../../../local/build/read-stack.ts'

let folder: string
let made: Package

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stack-'))
  made = await packageApp(folder)
})
afterAll(() => rm(folder, { recursive: true }))

/** A text that only one place of the source has, and that stays as it is in the bundle. */
const mark = 'The app failed. Report the correlation id'
const source = 'shared/http/route/error-response.ts'

async function findInBundle(): Promise<{ name: string; line: number; column: number }> {
  for (const file of made.files.filter(name => name.endsWith('.js'))) {
    const lines = (await readFile(join(made.folder, file), 'utf8')).split('\n')
    const at = lines.findIndex(line => line.includes(mark))
    if (at >= 0) return { name: file, line: at + 1, column: (lines[at] ?? '').indexOf(mark) + 1 }
  }
  throw new Error('The bundle has lost the mark')
}

async function lineInSource(): Promise<number> {
  const lines = (await readFile(join(root, source), 'utf8')).split('\n')
  return lines.findIndex(line => line.includes(mark)) + 1
}

test('a stack of the package is read back to the source, also out of a log line', async () => {
  const { name, line, column } = await findInBundle()
  const stack = `Error: x\n    at toKnownError (file:///home/site/wwwroot/${name}:${line}:${column})\n    at node:internal/x:1:2`
  const expected = new RegExp(
    `^Error: x\\n    at toKnownError \\(${source}:${await lineInSource()}:\\d+\\)\\n    at node:internal/x:1:2`,
  )
  expect(await readStack(stack, made.maps)).toMatch(expected)
  const logged = JSON.stringify({ event: 'request', stack })
  expect(await readStack(logged, made.maps)).toContain(`at toKnownError (${source}:${await lineInSource()}:`)
})

test('a place of another bundle stays as it is', async () => {
  const stack = 'at f (file:///home/site/wwwroot/dist/chunks/other-ABCDEFGH.js:1:2)'
  expect(await readStack(stack, made.maps)).toBe(stack)
})

test('the command reads a stack from its input', async () => {
  const { name, line, column } = await findInBundle()
  const output = await new Promise<string>((resolve, reject) => {
    const child = execFile(process.execPath, [`${root}local/run.js`, 'stack', made.maps], (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    )
    child.stdin?.end(`at f (${name}:${line}:${column})\n`)
  })
  expect(output).toMatch(new RegExp(`^at f \\(${source}:\\d+:\\d+\\)\\n$`))
})
