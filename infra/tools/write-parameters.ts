import { writeFile } from 'node:fs/promises'
import { root } from '../../local/build/bundle.ts'
import { parameterPage } from '../../test/infra/bicep/parameter-table.ts'
import { readTemplate } from '../../test/infra/bicep/template.ts'

// `npm run docs`. A test compares the page with the template.
await writeFile(`${root}docs/parameters.md`, parameterPage(readTemplate(`${root}infra/main.bicep`)))
