/** The services of a storage account that this app uses. */
type StorageService = 'Blob' | 'Queue'

const base64 = /^(?=.)(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const isWebAddress = (text: string): boolean => /^https?:$/.test(URL.parse(text)?.protocol ?? '')

/**
 * The `Name=value` pairs. Names are case-sensitive, as in the storage SDKs. Undefined if the text is malformed or
 * repeats a name.
 */
function readPairs(text: string): Map<string, string> | undefined {
  const pairs = new Map<string, string>()
  for (const pair of text.split(';')) {
    if (pair.trim() === '') continue
    const [, name, value] = /^\s*(\w+)=(.*)$/.exec(pair) ?? []
    if (name === undefined || value === undefined || pairs.has(name)) return undefined
    pairs.set(name, value.trim())
  }
  return pairs
}

/**
 * The fault of a storage connection string
 * (learn.microsoft.com/azure/storage/common/storage-configure-connection-string), or undefined if the storage SDKs
 * accept it. The text never contains a value of the string, because one of the values is a key.
 */
export function connectionStringFault(text: string, services: readonly StorageService[]): string | undefined {
  if (/^UseDevelopmentStorage=true(;|$)/.test(text)) return undefined
  const pairs = readPairs(text)
  if (pairs === undefined) return 'it must consist of Name=value pairs, each once, separated by semicolons'
  const endpoint = (service: StorageService) => pairs.get(`${service}Endpoint`)
  const badEndpoint = services.find(service => !isWebAddress(endpoint(service) ?? 'https://absent'))
  if (badEndpoint !== undefined) return `${badEndpoint}Endpoint must be a URL`
  const withoutEndpoint = services.find(service => endpoint(service) === undefined)

  const signature = pairs.get('SharedAccessSignature')
  if (signature !== undefined && pairs.get('AccountKey') === undefined) {
    if (signature === '') return 'SharedAccessSignature is empty'
    return withoutEndpoint === undefined ? undefined : `${withoutEndpoint}Endpoint is missing`
  }
  const account = pairs.get('AccountName')
  if (!account) return 'AccountName is missing'
  if (!/^[A-Za-z0-9-]+$/.test(account)) return 'AccountName must consist of letters and digits'
  if (!base64.test(pairs.get('AccountKey') ?? '')) return 'AccountKey is missing or not base64'
  const protocol = pairs.get('DefaultEndpointsProtocol')
  if (protocol === undefined) return 'DefaultEndpointsProtocol is missing'
  if (withoutEndpoint === undefined) return undefined
  if (!/^https?$/i.test(protocol)) return 'DefaultEndpointsProtocol must be https'
  const isHost = /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(pairs.get('EndpointSuffix') ?? '')
  return isHost ? undefined : 'EndpointSuffix must be a host name such as core.windows.net'
}
