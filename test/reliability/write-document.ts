import { writeFileSync } from 'node:fs'
import { renderDocument } from './document.ts'

writeFileSync(new URL('../../docs/reliability.md', import.meta.url), renderDocument())
