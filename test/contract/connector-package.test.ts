import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { createDocument } from '../../shared/openapi/document.ts'
import { definition, type Json, operations, triggers } from '../support/definition.ts'

const folder = `${root}infra/connector/`
const readText = (name: string) => readFileSync(`${folder}${name}`, 'utf8')
const readJson = <T = Json>(name: string) => JSON.parse(readText(name)) as T

type Policy = { templateId: string; title: string; type?: string; parameters: Json }
type Properties = {
  properties: Json & { connectionParameters: Record<string, Json>; policyTemplateInstances: Policy[] }
}

const byKey = readJson<Properties>('apiProperties.json').properties
const byEntra = readJson<Properties>('apiProperties.entra.json').properties
const certified = readJson<Properties>('apiProperties.certification.json').properties

const idsOf = (found: typeof operations) => found.map(({ operation }) => operation.operationId)
const namedBy = ({ parameters }: Policy) =>
  (parameters['x-ms-apimTemplate-operationName'] as string[] | undefined) ?? []
const policies = (id: string) => byKey.policyTemplateInstances.filter(({ templateId }) => templateId === id)

/** True if paconn requires a client secret for these connection parameters (tools/paconn-cli, operations/upsert.py). */
const needsSecret = (properties: Json): boolean => {
  const sets = (properties.connectionParameterSets as { values?: { parameters: Record<string, Json> }[] } | undefined)
    ?.values
  const all = [
    properties.connectionParameters as Record<string, Json>,
    ...(sets ?? []).map(({ parameters }) => parameters),
  ]
  return all.some(parameters => parameters?.token?.oAuthSettings !== undefined)
}

describe('paconn', () => {
  test('paconn creates the connector from the default settings without a client secret', () => {
    expect(readJson('settings.json').apiProperties).toBe('apiProperties.json')
    expect(needsSecret(byKey)).toBe(false)
    expect(Object.keys(byKey.connectionParameters)).toEqual(['host', 'api_key'])
    expect(byKey.connectionParameters.api_key?.type).toBe('securestring')
  })

  test('paconn asks for a secret with the settings for Entra ID, and no file contains one', () => {
    expect(readJson('settings.entra.json').apiProperties).toBe('apiProperties.entra.json')
    expect(needsSecret(byEntra)).toBe(true)
    expect(readText('README.md')).toMatch(/paconn create --settings settings\.entra\.json --secret /)
    for (const name of readdirSync(folder).filter(name => name.endsWith('.json')))
      expect(readText(name), name).not.toMatch(/clientSecret/i)
  })

  test.each(['settings.json', 'settings.entra.json'])(
    'paconn finds the files that %s names, and asks for the rest',
    name => {
      const settings = readJson<Record<string, string>>(name)
      const { apiProperties = '', apiDefinition = '', icon = '', ...service } = settings
      expect(readdirSync(folder)).toEqual(expect.arrayContaining([apiProperties, apiDefinition, icon]))
      expect(service).toEqual({ powerAppsUrl: 'https://api.powerapps.com', powerAppsApiVersion: '2016-11-01' })
    },
  )

  test('paconn derives the service address from scheme, host and base path, and the name from the title', () => {
    const [scheme] = definition.schemes as string[]
    expect(URL.canParse(`${scheme}://${definition.host}${definition.basePath}`)).toBe(true)
    expect(definition.info).toMatchObject({ title: expect.any(String), description: expect.any(String) })
  })

  test('paconn reads the files in every encoding that a machine can have', () => {
    for (const name of readdirSync(folder).filter(name => name.endsWith('.json')))
      expect(
        [...readFileSync(`${folder}${name}`)].filter(byte => byte > 127),
        name,
      ).toEqual([])
  })

  test('paconn can update the connector, because the properties name no stack owner', () => {
    expect(byKey).not.toHaveProperty('stackOwner')
    expect(byEntra).not.toHaveProperty('stackOwner')
  })
})

describe('the properties', () => {
  test('the properties for Entra ID differ only in the connection, which also sends the key', () => {
    const { connectionParameters, ...rest } = byEntra
    const { connectionParameters: keyOnly, ...others } = byKey
    expect(rest).toEqual(others)
    expect(connectionParameters).toMatchObject(keyOnly)
    expect(Object.keys(connectionParameters)).toEqual(['host', 'api_key', 'token', 'token:TenantId'])
    expect(connectionParameters.token).toMatchObject({
      type: 'oauthSetting',
      oAuthSettings: { identityProvider: 'aad', redirectMode: 'GlobalPerConnector' },
    })
  })

  test('the properties for certification differ only in the stack owner', () => {
    const { stackOwner, ...rest } = certified
    expect(rest).toEqual(byKey)
    expect(stackOwner).toBe(byKey.publisher)
  })

  test('the properties have a colour of their own', () => {
    expect(byKey.iconBrandColor).toMatch(/^#[0-9a-f]{6}$/i)
    expect(['#007ee5', '#ffffff']).not.toContain(String(byKey.iconBrandColor).toLowerCase())
  })
})

describe('the policies', () => {
  test('the policies call the host of the connection', () => {
    expect(policies('dynamichosturl').map(({ parameters }) => parameters)).toEqual([
      { 'x-ms-apimTemplateParameter.urlTemplate': "https://@connectionParameters('host')" },
    ])
    expect(byKey.connectionParameters).toHaveProperty('host')
  })

  test('the policies route the next page of every pageable list through the gateway', () => {
    const pageable = operations.filter(({ operation }) => operation['x-ms-pageable'] !== undefined)
    const [policy, ...more] = policies('updatenextlink')
    expect(more).toEqual([])
    expect(policy?.parameters['x-ms-apimTemplateParameter.nextLinkPropertyName']).toBe('nextLink')
    expect(policy === undefined ? [] : namedBy(policy).toSorted()).toEqual(idsOf(pageable).toSorted())
    expect(pageable.length).toBeGreaterThan(2)
  })

  test('the policies route exactly the operations that share an address', () => {
    const served = Object.keys((createDocument() as typeof definition).paths)
    const elsewhere = operations.filter(({ path }) => !served.includes(path.replace(/^\/trigger/, '')))
    const routing = policies('routerequesttoendpoint')
    expect(routing.flatMap(namedBy).toSorted()).toEqual(idsOf(elsewhere).toSorted())
    expect(idsOf(elsewhere)).toEqual(['OnOrderCreated', 'OnOrderUpdated', 'OnOrderRemoved'])
    expect(routing.map(({ parameters }) => parameters)).toEqual([
      {
        'x-ms-apimTemplateParameter.newPath': '/api/order-changes',
        'x-ms-apimTemplateParameter.httpMethod': 'GET',
        'x-ms-apimTemplate-operationName': expect.anything(),
      },
    ])
  })

  test('the policies keep the cursor of every polling trigger', () => {
    const polling = policies('pollingtrigger')
    expect(polling.flatMap(namedBy)).toEqual(idsOf(triggers))
    for (const { type, parameters } of polling) {
      expect(type).toBe('PollingTrigger')
      expect(parameters).toMatchObject({
        'x-ms-apimTemplateParameter.triggerConfig': { cursor: '@{triggerBody().cursor}' },
        'x-ms-apimTemplateParameter.triggerDataPath': '@triggerBody().value',
      })
    }
  })

  test('the policies for triggers apply below /trigger, and no other paths are there', () => {
    const below = operations.filter(({ path }) => path.startsWith('/trigger/'))
    expect(idsOf(below)).toEqual(policies('pollingtrigger').flatMap(namedBy))
  })

  test('the policies have titles that differ, and name operations that exist', () => {
    const titles = byKey.policyTemplateInstances.map(({ title }) => title)
    expect(new Set(titles).size).toBe(titles.length)
    const named = byKey.policyTemplateInstances.flatMap(namedBy)
    expect(named.filter(id => !idsOf(operations).includes(id))).toEqual([])
  })
})

describe('the rest of the package', () => {
  test('the icon is square, opaque and small', () => {
    const icon = readFileSync(`${folder}icon.png`)
    expect([icon.readUInt32BE(16), icon.readUInt32BE(20)]).toEqual([230, 230])
    expect(icon[25]).toBe(2)
    expect(icon.length).toBeLessThan(1_000_000)
  })

  test('the README has the chapters of a certified connector', () => {
    const chapters = [...readText('README.md').matchAll(/^## ([^:\n]+)/gm)].map(([, chapter]) => chapter)
    expect(chapters).toEqual([
      'Publisher',
      'Prerequisites',
      'Supported Operations',
      'Obtaining Credentials',
      'Getting Started',
      'Known Issues and Limitations',
      'Deployment Instructions',
    ])
  })

  test('the README lists every operation: the triggers, then the actions', () => {
    const [, supported = ''] = /## Supported Operations\n([\s\S]*?)\n## /.exec(readText('README.md')) ?? []
    const [, listedTriggers = '', listedActions = ''] =
      /### Triggers\n([\s\S]*?)### Actions\n([\s\S]*)/.exec(supported) ?? []
    const listed = (text: string) => [...text.matchAll(/^\| \*\*(.+?)\*\* +\|/gm)].map(([, name]) => name)
    const visible = operations.filter(({ operation }) => operation['x-ms-visibility'] !== 'internal')
    const summaries = (found: typeof operations) => found.map(({ operation }) => operation.summary)
    expect(listed(listedTriggers)).toEqual(summaries(triggers))
    expect(listed(listedActions).toSorted()).toEqual(
      summaries(visible.filter(each => !triggers.includes(each))).toSorted(),
    )
  })

  test('the README links to the first flow', () => {
    const [, target = ''] = /## Getting Started\n[\s\S]*?\]\(([^)]+\.md)[^)]*\)/.exec(readText('README.md')) ?? []
    expect(readFileSync(`${folder}${target}`, 'utf8')).toContain('# Power Automate')
  })
})
