import { readdirSync, readFileSync } from 'node:fs'
import { strFromU8, unzipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { type FlowSample, flowZip } from '../../../local/build/flow-packages.ts'

const folder = new URL('../../../infra/logic-apps/power-automate/', import.meta.url)
const connectorId = 'shared_partner-20center-20orders-5f0123456789abcdef'
const names = readdirSync(folder)
  .filter(name => name.endsWith('.json'))
  .map(name => name.replace(/\.json$/, ''))

type Resource = { type: string; id?: string; dependsOn: string[]; configurableBy: string; hierarchy: string }
type Manifest = { details: { displayName: string }; resources: Record<string, Resource> }
type Reference = { id: string; connectionName: string }
type Definition = {
  name: string
  properties: { definition: unknown; displayName: string; connectionReferences: Record<string, Reference> }
}

const sampleOf = (name: string) => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as FlowSample

describe.each(names)('the package %s', name => {
  const sample = sampleOf(name)
  const zip = flowZip({ name, sample, connectorId })
  const files = Object.fromEntries(
    Object.entries(unzipSync(zip)).map(([path, bytes]) => [path, JSON.parse(strFromU8(bytes)) as unknown]),
  )
  const manifest = files['manifest.json'] as Manifest
  const [flowId = '', flow] =
    Object.entries(manifest.resources).find(([, { type }]) => type === 'Microsoft.Flow/flows') ?? []
  const read = <T>(file: string) => files[`Microsoft.Flow/flows/${flowId}/${file}`] as T
  const definition = read<Definition>('definition.json')
  const keys = Object.keys(sample.properties.connectionReferences)

  test('the package has the files of an exported flow', () => {
    expect(Object.keys(files)).toEqual([
      'manifest.json',
      'Microsoft.Flow/flows/manifest.json',
      ...['definition', 'apisMap', 'connectionsMap'].map(file => `Microsoft.Flow/flows/${flowId}/${file}.json`),
    ])
    expect(files['Microsoft.Flow/flows/manifest.json']).toMatchObject({ flowAssets: { assetPaths: [flowId] } })
    expect(definition.name).toBe(flowId)
  })

  test('the package lets the importer select a connection for each connector', () => {
    const apis = read<Record<string, string>>('apisMap.json')
    const connections = read<Record<string, string>>('connectionsMap.json')
    expect([Object.keys(apis), Object.keys(connections)]).toEqual([keys, keys])
    for (const key of keys) {
      const api = manifest.resources[apis[key] ?? '']
      expect(api).toMatchObject({ type: 'Microsoft.PowerApps/apis', configurableBy: 'System' })
      expect(api?.id).toBe(definition.properties.connectionReferences[key]?.id)
      expect(manifest.resources[connections[key] ?? '']).toMatchObject({
        type: 'Microsoft.PowerApps/apis/connections',
        configurableBy: 'User',
        dependsOn: [apis[key]],
      })
    }
    expect(flow?.dependsOn.toSorted()).toEqual([...Object.values(apis), ...Object.values(connections)].toSorted())
    expect(Object.keys(manifest.resources)).toHaveLength(1 + 2 * keys.length)
  })

  test('the package contains the sample with the connector of the environment', () => {
    const text = JSON.stringify(definition.properties)
    expect(text).toContain(`/providers/Microsoft.PowerApps/apis/${connectorId}`)
    expect(text).not.toContain('apis/shared_partnercenterorders')
    const back = JSON.stringify(definition.properties.definition).replaceAll(connectorId, 'shared_partnercenterorders')
    expect(JSON.parse(back)).toEqual(sample.properties.definition)
    expect(definition.properties.displayName).toBe(manifest.details.displayName)
  })

  test('the package has the same bytes every time', () => {
    expect(Buffer.from(flowZip({ name, sample, connectorId })).equals(Buffer.from(zip))).toBe(true)
  })
})

test('two packages have different ids', () => {
  const ids = names.flatMap(name => {
    const bytes = unzipSync(flowZip({ name, sample: sampleOf(name), connectorId }))['manifest.json']
    return Object.keys((JSON.parse(strFromU8(bytes ?? new Uint8Array())) as Manifest).resources)
  })
  expect(names.length).toBeGreaterThan(2)
  expect(new Set(ids).size).toBe(ids.length)
})
