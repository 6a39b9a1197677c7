import type { z } from 'zod'
import type { Parameters } from '../http/parameters/parameters.ts'
import * as parameters from '../http/parameters/parameters.ts'
import * as responses from './responses.ts'

type AnyParameters = Pick<Parameters<never>, 'path' | 'query' | 'body'>

/** One operation of the document. The path is the route of the function, without the prefix of host.json. */
export type Operation = {
  operationId: string
  functionName: string
  method: 'get' | 'post'
  path: string
  summary: string
  description: string
  parameters: AnyParameters
  /** Query parameters that the document omits, because they change the form of the response. */
  hidden?: readonly string[]
  /** The only response that can have a schema. */
  success: { description: string; schema: z.ZodType }
  /** True if the response is HTML. */
  isPage?: boolean
  /** The descriptions of the other responses. */
  others: Readonly<Record<number, string>>
  visibility: 'important' | 'advanced' | 'internal'
  pageable?: boolean
  trigger?: { hint: string }
  /**
   * For an operation that only the connector has. OpenAPI 2.0 allows one operation for each path and method, so the
   * connector uses a path of its own. A policy (`routerequesttoendpoint` in apiProperties.json) routes it to `path`.
   */
  connectorOnly?: { path: string; constants: Readonly<Record<string, string>> }
}

const badInput = 'A parameter has an invalid value. error.target names it (invalid_request).'
const forbidden =
  'No reseller relationship with the customer (no_customer_relationship), or the app lacks a role or consent (partner_center_forbidden).'
const credential =
  'A person has to fix the credential of the app: credential_rejected, mfa_required, wrong_audience or key_vault_refused.'
const throttled = 'The upstream service limits requests (partner_center_throttled). Retry-After says when to retry.'
const broken = 'The upstream service sent an unusable response (partner_center_invalid_response).'
const unavailable =
  'A service is unreachable or too slow: partner_center_unavailable, deadline_exceeded, key_vault_unavailable, authority_unavailable or storage_unavailable. Retry-After says when to retry.'
const ourFault =
  'The app is not configured (app_misconfigured), a blob of a snapshot is damaged (snapshot_corrupt), or the app failed (internal_error).'
const locked =
  'A blob of a snapshot is leased, archived or protected. A person has to release it (snapshot_blob_locked).'

/** The failures of operations that call Partner Center. */
const upstream = {
  403: forbidden,
  424: `${credential} ${locked}`,
  429: throttled,
  500: ourFault,
  502: broken,
  503: unavailable,
}
const local = { 424: locked, 500: ourFault, 503: unavailable }
const unchanged = 'Nothing has changed since the ETag in If-None-Match.'
const unknownCustomer =
  'No such customer (customer_not_found), or no snapshot at that time or before (snapshot_not_found).'
const expired = 'The list has changed since the previous page (cursor_expired). Start again without a cursor.'

/** The common part of the triggers: one for each kind of change, and one for all kinds. */
const orderTrigger = {
  functionName: 'poll-order-changes',
  method: 'get',
  path: '/order-changes',
  parameters: parameters.orderChanges,
  success: { description: 'The changes since the last poll.', schema: responses.changesPageSchema },
  others: {
    400: badInput,
    410: 'The snapshot of the cursor was deleted (cursor_expired). error.details has a new cursor.',
    ...local,
  },
  visibility: 'important',
  trigger: {
    hint: 'To test it, take two snapshots with an order in between, or wait until the activity log has a new order.',
  },
} as const

export const operations: readonly Operation[] = [
  {
    operationId: 'GetCustomerOrders',
    functionName: 'get-customer-orders',
    method: 'get',
    path: '/customers/{customerTenantId}/orders',
    summary: 'Get customer orders',
    description: 'Gets every order of a customer with its lines, live or as of an earlier day.',
    parameters: parameters.customerOrders,
    success: { description: 'The orders, oldest first.', schema: responses.orderCollectionSchema },
    others: {
      304: unchanged,
      400: badInput,
      404: unknownCustomer,
      ...upstream,
    },
    visibility: 'important',
  },
  {
    operationId: 'GetCustomerOrder',
    functionName: 'get-customer-order',
    method: 'get',
    path: '/customers/{customerTenantId}/orders/{orderId}',
    summary: 'Get order',
    description: 'Gets one order of a customer, on request with its provisioning status.',
    parameters: parameters.customerOrder,
    success: { description: 'The order.', schema: responses.orderWithStatusSchema },
    others: {
      304: unchanged,
      400: badInput,
      404: 'No such order (order_not_found) or customer (customer_not_found).',
      ...upstream,
    },
    visibility: 'important',
  },
  {
    operationId: 'ListOrderLines',
    functionName: 'list-order-lines',
    method: 'get',
    path: '/customers/{customerTenantId}/order-lines',
    summary: 'List order lines',
    description: 'Lists one flat row for each order line of a customer, so that a flow needs no nested loops.',
    parameters: parameters.orderLines,
    hidden: ['format'],
    success: { description: 'A page of order lines.', schema: responses.orderLinePageSchema },
    others: { 304: unchanged, 400: badInput, 404: unknownCustomer, 410: expired, ...upstream },
    visibility: 'important',
    pageable: true,
  },
  {
    operationId: 'ListAllOrderLines',
    functionName: 'list-all-order-lines',
    method: 'get',
    path: '/order-lines',
    summary: 'List order lines of all customers',
    description:
      'Lists one flat row for each order line of all customers, from the newest snapshot or the snapshot of an earlier day.',
    parameters: parameters.allOrderLines,
    hidden: ['format'],
    success: { description: 'A page of order lines.', schema: responses.orderLinePageSchema },
    others: {
      304: unchanged,
      400: badInput,
      404: 'No snapshot at that time or before (snapshot_not_found).',
      410: 'The snapshot of the previous page was deleted (cursor_expired). Start again without a cursor.',
      ...local,
    },
    visibility: 'important',
    pageable: true,
  },
  {
    operationId: 'ListCustomers',
    functionName: 'list-customers',
    method: 'get',
    path: '/customers',
    summary: 'List customers',
    description: 'Lists the customers of the partner by name.',
    parameters: parameters.customers,
    success: { description: 'A page of customers.', schema: responses.customerPageSchema },
    others: { 400: badInput, 410: expired, ...upstream },
    visibility: 'important',
    pageable: true,
  },
  {
    ...orderTrigger,
    operationId: 'OnOrderCreated',
    connectorOnly: { path: '/order-changes/created', constants: { kind: 'created' } },
    summary: 'When an order is created',
    description:
      'Triggers for each order that is new, within about 10 to 30 minutes after it appears in the activity log, otherwise with the next daily snapshot.',
    success: { ...orderTrigger.success, schema: responses.createdPageSchema },
  },
  {
    ...orderTrigger,
    operationId: 'OnOrderUpdated',
    connectorOnly: { path: '/order-changes/updated', constants: { kind: 'updated' } },
    summary: 'When an order is changed',
    description:
      'Triggers for each order that was changed, within about 10 to 30 minutes after it appears in the activity log, otherwise with the next daily snapshot.',
  },
  {
    ...orderTrigger,
    operationId: 'OnOrderRemoved',
    connectorOnly: { path: '/order-changes/removed', constants: { kind: 'removed' } },
    summary: 'When an order is removed',
    description:
      'Triggers for each order that the service no longer has. The activity log does not record removals, so most come with the next daily snapshot.',
    success: { ...orderTrigger.success, schema: responses.removedPageSchema },
  },
  {
    ...orderTrigger,
    operationId: 'OnOrderChanged',
    summary: 'When an order is created, changed or removed',
    description:
      'Triggers for each order that was created, changed or removed: within about 10 to 30 minutes after it appears in the activity log, otherwise with the next daily snapshot.',
  },
  {
    operationId: 'StartSnapshot',
    functionName: 'start-snapshot',
    method: 'post',
    path: '/snapshots',
    summary: 'Start snapshot',
    description:
      'Takes a snapshot of the orders of all customers, or of the customers that you select, and waits until it has ended.',
    parameters: parameters.startSnapshot,
    success: { description: 'The finished snapshot.', schema: responses.manifestSchema },
    others: {
      202: 'The snapshot is running. Location has the address of its status, and Retry-After the time until the next request.',
      400: badInput,
      404: 'There is no snapshot with failed customers (snapshot_not_found).',
      409: 'A snapshot is already running (snapshot_running). Location has the address of its status.',
      ...upstream,
    },
    visibility: 'important',
  },
  {
    operationId: 'CancelSnapshot',
    functionName: 'cancel-snapshot',
    method: 'post',
    path: '/snapshots/{snapshotId}/cancel',
    summary: 'Cancel snapshot',
    description: 'Cancels a running snapshot. The orders that it has read are not used.',
    parameters: parameters.snapshot,
    success: { description: 'The snapshot that is ending.', schema: responses.snapshotSchema },
    others: {
      202: 'The snapshot is ending. After that, Get snapshot fails with snapshot_cancelled.',
      400: badInput,
      404: 'No such snapshot (snapshot_not_found).',
      409: 'The snapshot has ended (snapshot_ended).',
      ...local,
    },
    visibility: 'important',
  },
  {
    operationId: 'GetSnapshot',
    functionName: 'get-snapshot',
    method: 'get',
    path: '/snapshots/{snapshotId}',
    summary: 'Get snapshot',
    description: 'Gets a finished snapshot: its counts, its files and the customers that could not be read.',
    parameters: parameters.snapshot,
    success: { description: 'The finished snapshot.', schema: responses.manifestSchema },
    others: {
      202: 'The snapshot is running. The response has its progress, and Location the address of its status.',
      400: badInput,
      404: 'No such snapshot (snapshot_not_found).',
      ...local,
      424: `The snapshot has failed (snapshot_failed), was cancelled (snapshot_cancelled), or the credential failed (credential_rejected, mfa_required, wrong_audience, key_vault_refused). ${locked}`,
    },
    visibility: 'important',
  },
  {
    operationId: 'GetSnapshotReport',
    functionName: 'get-snapshot-report',
    method: 'get',
    path: '/snapshots/{snapshotId}/report',
    summary: 'Get snapshot report',
    description:
      'Gets the report of a snapshot: whether it is complete, what changed and who needs attention. As a mail, it can be the body of a mail.',
    parameters: parameters.snapshotReport,
    success: { description: 'The report as HTML.', schema: responses.reportSchema },
    isPage: true,
    others: {
      202: 'The snapshot is running. The response has its progress, and Location the address of its report.',
      304: unchanged,
      400: badInput,
      404: 'No such snapshot, or no finished snapshot of all customers (snapshot_not_found).',
      ...local,
    },
    visibility: 'important',
  },
  {
    operationId: 'ListSnapshots',
    functionName: 'list-snapshots',
    method: 'get',
    path: '/snapshots',
    summary: 'List snapshots',
    description: 'Lists the snapshots, newest first, with their status and counts.',
    parameters: parameters.snapshots,
    success: { description: 'A page of snapshots.', schema: responses.snapshotPageSchema },
    others: { 400: badInput, ...local },
    visibility: 'important',
    pageable: true,
  },
  {
    operationId: 'TestConnection',
    functionName: 'get-health-details',
    method: 'get',
    path: '/health/details',
    summary: 'Test connection',
    description: 'Checks the address and the key of a connection, and gets the state of the app.',
    parameters: parameters.noParameters,
    success: { description: 'The state of the app.', schema: responses.healthDetailsSchema },
    others: { 400: badInput, ...local },
    visibility: 'internal',
  },
]
