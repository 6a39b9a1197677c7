import { globSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../../local/build/bundle.ts'
import { type Deployment, deploy, type Resource } from './deployment.ts'
import type { Cloud, World } from './functions.ts'
import { readTemplate } from './template.ts'

type Parameters = Record<string, unknown>

const partner = {
  partnerTenantId: '00000000-0000-0000-0000-000000000001',
  partnerClientId: '00000000-0000-0000-0000-000000000002',
}

const find = (pattern: string): string[] => globSync(pattern, { cwd: root }).toSorted()

/** The template that is deployed and its modules. */
export const templates = find('infra/{main,modules/*}.bicep').map(file => readTemplate(join(root, file)))
export const parameterFiles = find('infra/{main,samples/*}.bicepparam')

const main = readTemplate(join(root, 'infra/main.bicep'))

/** The deployment with these parameters. */
export const deployed = (
  parameters: Parameters = {},
  cloud: Cloud = 'AzureCloud',
  world: Partial<World> = {},
): Deployment => deploy(main, { ...partner, ...parameters }, { cloud, env: {}, ...world })

/** The deployed resources of a type. */
export const allOf = (type: string, parameters?: Parameters, cloud?: Cloud): Resource[] =>
  deployed(parameters, cloud).resources.filter(resource => resource.type === type)

/** The only deployed resource of a type. */
export function oneOf(type: string, parameters?: Parameters, cloud?: Cloud): Resource {
  const [resource, ...others] = allOf(type, parameters, cloud)
  if (resource === undefined || others.length > 0) throw new Error(`Expected one ${type}, not ${others.length}`)
  return resource
}
