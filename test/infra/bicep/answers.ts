import { environments, type Value, type World } from './functions.ts'

export const clientId = '00000000-0000-4000-8000-00000000c11d'
export const principalId = '00000000-0000-4000-8000-00000000021d'

/** The properties of a deployed resource, as far as the templates use them. */
export const answersOf = (name: string, { cloud }: World): Record<string, Value> => ({
  clientId,
  principalId,
  CreationDate: '2026-01-31T10:00:00.1234567+00:00',
  ConnectionString: 'InstrumentationKey=00000000-0000-4000-8000-000000000001',
  defaultHostName: `${name}.example.net`,
  primaryEndpoints: Object.fromEntries(
    ['blob', 'queue', 'table'].map(service => [
      service,
      `https://${name}.${service}.${environments[cloud].suffixes.storage}/`,
    ]),
  ),
})
