import type { PickList } from '../http/parameters/parameter-kinds.ts'

/** The list of a dropdown. */
type Picker = {
  operationId: string
  /** Parameters of the list with fixed values. */
  given?: Readonly<Record<string, number>>
  /** Parameters of the list that take a value that the maker has picked before, under the same name. */
  dependsOn?: readonly string[]
  collection: string
  value: string
  title: string
}

const pickers: Readonly<Record<PickList, Picker>> = {
  customer: {
    operationId: 'ListCustomers',
    given: { top: 1000 },
    collection: 'value',
    value: 'customerTenantId',
    title: 'companyName',
  },
  // An order has no name. Makers recognize its date more easily than its id.
  order: {
    operationId: 'GetCustomerOrders',
    dependsOn: ['customerTenantId'],
    collection: 'items',
    value: 'id',
    title: 'creationDate',
  },
  snapshot: {
    operationId: 'ListSnapshots',
    given: { top: 100 },
    collection: 'value',
    value: 'snapshotId',
    title: 'startedAt',
  },
}

/** The extensions for a dropdown: the old form, which every designer supports, and the new one. */
export function pickFrom(list: PickList): Record<string, unknown> {
  const { operationId, given = {}, dependsOn = [], collection, value, title } = pickers[list]
  const references = (member: string) => Object.fromEntries(dependsOn.map(name => [name, { [member]: name }]))
  const constants = Object.entries(given).map(([name, constant]) => [name, { value: constant }])
  return {
    'x-ms-dynamic-values': {
      operationId,
      parameters: { ...given, ...references('parameter') },
      'value-collection': collection,
      'value-path': value,
      'value-title': title,
    },
    'x-ms-dynamic-list': {
      operationId,
      parameters: { ...Object.fromEntries(constants), ...references('parameterReference') },
      itemsPath: collection,
      itemValuePath: value,
      itemTitlePath: title,
    },
  }
}
