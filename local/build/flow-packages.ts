import { createHash } from 'node:crypto'
import { type Zippable, zipSync } from 'fflate'

/** A sample in the form in which solutions store flows. */
export type FlowSample = {
  properties: { connectionReferences: Record<string, { api: { name: string } }>; definition: object }
}

type Options = {
  /** Such as `new-order-to-teams`. */
  name: string
  sample: FlowSample
  /** The id of the custom connector in its environment. The sample has a placeholder. */
  connectorId: string
}

/** The name of the custom connector in the samples. */
const ownApi = 'shared_partnercenterorders'

const displayNames: Readonly<Record<string, string>> = {
  [ownApi]: 'Partner Center Orders',
  shared_teams: 'Microsoft Teams',
  shared_excelonlinebusiness: 'Excel Online (Business)',
  shared_office365: 'Office 365 Outlook',
}

/** The first date that a zip can have. With a fixed date, equal flows have equal bytes. */
const date = new Date(1980, 0, 1)

/** An id that is the same every time. */
function idOf(...parts: string[]): string {
  const hex = createHash('sha256').update(parts.join('\0')).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}

/** The files of a package for Power Automate: the flow, and a connection to select for each connector. */
function flowPackage({ name, sample, connectorId }: Options): Record<string, object> {
  const flowId = idOf(name, 'flow')
  const title = titleOf(name)
  const connections = Object.entries(sample.properties.connectionReferences).map(([key, { api }]) => ({
    key,
    api: api.name === ownApi ? connectorId : api.name,
    displayName: displayNames[api.name] ?? api.name,
    apiResource: idOf(name, key, 'api'),
    connectionResource: idOf(name, key, 'connection'),
  }))
  const mapOf = (pick: (connection: (typeof connections)[number]) => unknown) =>
    Object.fromEntries(connections.map(connection => [connection.key, pick(connection)]))
  const resources = connections.flatMap(({ api, displayName, apiResource, connectionResource }) => [
    [
      apiResource,
      {
        id: apiPath(api),
        name: api,
        type: 'Microsoft.PowerApps/apis',
        suggestedCreationType: 'Existing',
        details: { displayName },
        configurableBy: 'System',
        hierarchy: 'Child',
        dependsOn: [],
      },
    ],
    [
      connectionResource,
      {
        type: 'Microsoft.PowerApps/apis/connections',
        suggestedCreationType: 'Existing',
        creationType: 'Existing',
        details: { displayName },
        configurableBy: 'User',
        hierarchy: 'Child',
        dependsOn: [apiResource],
      },
    ],
  ])
  const flow = {
    type: 'Microsoft.Flow/flows',
    suggestedCreationType: 'New',
    creationType: 'Existing, New, Update',
    details: { displayName: title },
    configurableBy: 'User',
    hierarchy: 'Root',
    dependsOn: connections.flatMap(({ apiResource, connectionResource }) => [apiResource, connectionResource]),
  }
  const folder = `Microsoft.Flow/flows/${flowId}`
  return {
    'manifest.json': {
      schema: '1.0',
      details: {
        displayName: title,
        description: 'A sample of Partner Center Orders.',
        createdTime: '1980-01-01T00:00:00.000Z',
        packageTelemetryId: idOf(name, 'package'),
        creator: 'N/A',
        sourceEnvironment: '',
      },
      resources: Object.fromEntries([[flowId, flow], ...resources]),
    },
    'Microsoft.Flow/flows/manifest.json': { packageSchemaVersion: '1.0', flowAssets: { assetPaths: [flowId] } },
    [`${folder}/definition.json`]: {
      name: flowId,
      id: `/providers/Microsoft.Flow/flows/${flowId}`,
      type: 'Microsoft.Flow/flows',
      properties: {
        apiId: apiPath('shared_logicflows'),
        displayName: title,
        definition: withConnector(sample.properties.definition, connectorId),
        connectionReferences: mapOf(({ key, api }) => ({
          connectionName: key.replaceAll('_', '-'),
          source: 'Embedded',
          id: apiPath(api),
          tier: 'NotSpecified',
        })),
        flowFailureAlertSubscribed: false,
      },
    },
    [`${folder}/apisMap.json`]: mapOf(({ apiResource }) => apiResource),
    [`${folder}/connectionsMap.json`]: mapOf(({ connectionResource }) => connectionResource),
  }
}

/** The package as a zip file. */
export function flowZip(options: Options): Uint8Array {
  const files: Zippable = {}
  for (const [path, content] of Object.entries(flowPackage(options)))
    files[path] = [Buffer.from(JSON.stringify(content, null, 2)), { mtime: date, level: 9 }]
  return zipSync(files)
}

const apiPath = (api: string): string => `/providers/Microsoft.PowerApps/apis/${api}`

/** `new-order-to-teams` becomes *New order to teams*. */
const titleOf = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ')

const withConnector = (definition: object, connectorId: string): unknown =>
  JSON.parse(JSON.stringify(definition).replaceAll(`"${apiPath(ownApi)}"`, JSON.stringify(apiPath(connectorId))))
