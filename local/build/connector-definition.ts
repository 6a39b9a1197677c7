import { createConnectorDefinition } from '../../shared/openapi/document.ts'
import { root } from './bundle.ts'

export const definitionFile = `${root}infra/connector/apiDefinition.swagger.json`

/** The committed definition of the connector, formatted for reading. */
export const definitionText = (): string => `${JSON.stringify(createConnectorDefinition(), null, 2)}\n`
