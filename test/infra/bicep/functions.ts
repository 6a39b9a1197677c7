import { createHash } from 'node:crypto'

export type Cloud = 'AzureCloud' | 'AzureUSGovernment' | 'AzureChinaCloud'

export type Value = unknown

type Deployer = { objectId: string; userPrincipalName: string }

/** The environment of a deployment. A user deploys unless `deployer` says otherwise. */
export type World = { cloud: Cloud; env: Record<string, string>; deployer?: Deployer }

export const person: Deployer = {
  objectId: '00000000-0000-4000-8000-0000000de910',
  userPrincipalName: 'operator@partner.example',
}

/** The result of `environment()` in each cloud, as far as the templates use it. */
export const environments = {
  AzureCloud: {
    name: 'AzureCloud',
    authentication: { loginEndpoint: 'https://login.microsoftonline.com/' },
    suffixes: { storage: 'core.windows.net', keyvaultDns: '.vault.azure.net' },
  },
  AzureUSGovernment: {
    name: 'AzureUSGovernment',
    // Without a slash at the end, because its presence is not documented and templates must not rely on it.
    authentication: { loginEndpoint: 'https://login.microsoftonline.us' },
    suffixes: { storage: 'core.usgovcloudapi.net', keyvaultDns: '.vault.usgovcloudapi.net' },
  },
  AzureChinaCloud: {
    name: 'AzureChinaCloud',
    authentication: { loginEndpoint: 'https://login.chinacloudapi.cn/' },
    suffixes: { storage: 'core.chinacloudapi.cn', keyvaultDns: '.vault.azure.cn' },
  },
} as const satisfies Record<Cloud, unknown>

const subscriptionId = '/subscriptions/00000000-0000-0000-0000-00000000000a'
const groupId = `${subscriptionId}/resourceGroups/group`

const hash = (values: Value[]): string => createHash('sha256').update(JSON.stringify(values)).digest('hex')

function pathOf(type: string, names: string[]): string {
  const [provider = '', ...types] = type.split('/')
  return ['providers', provider, ...types.flatMap((each, index) => [each, names[index] ?? ''])].join('/')
}

/** The id of a resource in the resource group. Slashes separate the segments of its name. */
export const resourceId = (type: string, name: string): string => `${groupId}/${pathOf(type, name.split('/'))}`

/** Digits, so that a test can distinguish it from a word. */
export const uniqueString = (values: Value[]): string => hash(values).replace(/\D/g, '').padEnd(13, '0').slice(0, 13)

function truthOf(value: Value): boolean {
  if (value === true || value === 'true') return true
  if (value === false || value === 'false') return false
  throw new Error(`${JSON.stringify(value)} is neither true nor false`)
}

const isEmpty = (value: Value): boolean =>
  value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0)

export const operators: Readonly<Record<string, (left: Value, right: () => Value) => Value>> = {
  '==': (left, right) => left === right(),
  '!=': (left, right) => left !== right(),
  '&&': (left, right) => left === true && right() === true,
  '||': (left, right) => left === true || right() === true,
  '??': (left, right) => left ?? right(),
}

type Members = Record<string, Value>
type Lambda = (item: Value) => Value

const isObject = (value: Value): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `union` of objects, which also merges nested objects. */
const merge = (first: Members, second: Members): Members => ({
  ...first,
  ...Object.fromEntries(
    Object.entries(second).map(([key, value]) => {
      const before = first[key]
      return [key, isObject(before) && isObject(value) ? merge(before, value) : value]
    }),
  ),
})

const listOf = (value: Value): Value[] => value as Value[]
const textOf = (value: Value): string => value as string

function environmentVariable([name, otherwise]: Value[], { env }: World): Value {
  const value = env[textOf(name)] ?? otherwise
  if (value === undefined) throw new Error(`The environment has no ${name}`)
  return value
}

/**
 * The functions of the language that the templates use and that depend only on their arguments
 * (learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions).
 */
export const functions: Readonly<Record<string, (args: Value[], world: World) => Value>> = {
  bool: ([value]) => truthOf(value),
  cidrSubnet: ([range, bits, index]) => `${textOf(range)} > /${bits}[${index}]`,
  concat: lists => lists.flat(),
  deployer: (_, { deployer = person }) => deployer,
  empty: ([value]) => isEmpty(value),
  environment: (_, { cloud }) => environments[cloud],
  filter: ([list, keeps]) => listOf(list).filter(item => (keeps as Lambda)(item) === true),
  guid: args => hash(args).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5'),
  intersection: ([first, ...others]) =>
    listOf(first).filter(value => others.every(other => listOf(other).includes(value))),
  items: ([object]) =>
    Object.entries(object as Members)
      .map(([key, value]) => ({ key, value }))
      .sort((one, other) => (one.key < other.key ? -1 : 1)),
  join: ([list, separator]) => listOf(list).join(textOf(separator)),
  max: numbers => Math.max(...numbers.map(Number)),
  min: numbers => Math.min(...numbers.map(Number)),
  readEnvironmentVariable: environmentVariable,
  replace: ([text, from, to]) => textOf(text).replaceAll(textOf(from), textOf(to)),
  resourceGroup: () => ({ id: groupId, name: 'group', location: 'westeurope' }),
  shallowMerge: ([objects]) => Object.assign({}, ...listOf(objects)),
  split: ([text, separator]) => textOf(text).split(textOf(separator)),
  startsWith: ([text, start]) => textOf(text).toLowerCase().startsWith(textOf(start).toLowerCase()),
  string: ([value]) => (typeof value === 'string' ? value : JSON.stringify(value)),
  subscriptionResourceId: ([type, ...names]) => `${subscriptionId}/${pathOf(textOf(type), names.map(textOf))}`,
  take: ([value, count]) => (value as string | Value[]).slice(0, Number(count)),
  tenant: () => ({ tenantId: '00000000-0000-0000-0000-00000000000b' }),
  toObject: ([list, toKey, toValue]) =>
    Object.fromEntries(listOf(list).map(item => [(toKey as Lambda)(item), (toValue as Lambda)(item)])),
  union: objects => (objects as Members[]).reduce(merge),
  uniqueString: args => uniqueString(args),
  uri: ([base, relative]) => new URL(textOf(relative), textOf(base)).href,
}
