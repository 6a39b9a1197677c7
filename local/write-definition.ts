import { writeFile } from 'node:fs/promises'
import { createConnectorDefinition } from '../shared/openapi/document.ts'
import { root } from './build.ts'

export const definitionFile = `${root}infra/connector/apiDefinition.swagger.json`

/** The committed definition of the connector, formatted for reading. */
export const definitionText = (): string => `${JSON.stringify(createConnectorDefinition(), null, 2)}\n`

if (import.meta.main) await writeFile(definitionFile, definitionText())
