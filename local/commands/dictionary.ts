import { readFile, writeFile } from 'node:fs/promises'
import { root } from '../build/bundle.ts'
import { withDictionary } from '../build/data-dictionary.ts'

// `npm run docs`. A test compares the page with the schemas.
const page = `${root}docs/data.md`
await writeFile(page, withDictionary(await readFile(page, 'utf8')))
