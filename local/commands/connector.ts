import { readFile, writeFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { definitionFile, definitionText } from '../build/connector-definition.ts'

const before = await readFile(definitionFile, 'utf8').catch(() => '')
const text = definitionText()
const name = relative(process.cwd(), definitionFile)
if (text === before) console.log(`${name} is up to date.`)
else {
  await writeFile(definitionFile, text)
  console.log(`Wrote ${name}.`)
}
