import * as z from 'zod'
import { compareTimestamps, type Timestamp } from '../../orders/timestamp.ts'
import { snapshotIdPattern } from '../../snapshots/storage/layout.ts'
import { changeKinds } from '../../snapshots/storage/shapes.ts'
import {
  cursor,
  customerMeta,
  customerTenantId,
  described,
  format,
  guid,
  includePrice,
  oneOf,
  orderFilters,
  orderId,
  top,
  topOfFormat,
} from './parameter-kinds.ts'

/** The parameters of a function, grouped by their location. `Values` is the type that the use case takes. */
export type Parameters<Values> = {
  path: z.ZodRawShape
  query: z.ZodRawShape
  /** The members of the JSON object in a POST. */
  body?: z.ZodRawShape
  /** Checks a rule over several parameters. Returns the parameter at fault and its expected form, or undefined. */
  check?: (values: Values) => { target: string; expected: string } | undefined
}

type DateRange = { createdFrom?: Timestamp | undefined; createdTo?: Timestamp | undefined }

const checkRange = ({ createdFrom, createdTo }: DateRange) =>
  createdFrom !== undefined && createdTo !== undefined && compareTimestamps(createdFrom, createdTo) >= 0
    ? { target: 'createdTo', expected: 'later than createdFrom' }
    : undefined

function define<P extends z.ZodRawShape, Q extends z.ZodRawShape, B extends z.ZodRawShape = Q>(
  shapes: { path: P; query: Q; body?: B },
  check?: NoInfer<Parameters<z.output<z.ZodObject<P & Q & B>>>['check']>,
): Parameters<z.output<z.ZodObject<P & Q & B>>> {
  return check === undefined ? shapes : { ...shapes, check }
}

export const noParameters = define({ path: {}, query: {} })

export const customerOrders = define(
  { path: { customerTenantId }, query: orderFilters, body: orderFilters },
  checkRange,
)

export const customerOrder = define({
  path: { customerTenantId, orderId },
  query: {
    expand: described(
      z
        .string()
        .toLowerCase()
        .pipe(z.enum(['provisioningstatus']))
        .optional(),
      {
        expected: 'provisioningStatus',
        title: 'Expand',
        description: 'The data to add to the order.',
        openapi: { type: 'string', enum: ['provisioningStatus'] },
        labels: ['Provisioning Status'],
      },
    ),
    includePrice,
  },
})

export const orderLines = define(
  { path: { customerTenantId }, query: { ...orderFilters, format, top, cursor } },
  checkRange,
)

const { status, createdFrom, createdTo, billingType, includeSystemPurchases, asOf } = orderFilters

/**
 * Without `includePrice`, because snapshots contain no prices, and without `allowStale`, because nothing is read live.
 */
export const allOrderLines = define(
  {
    path: {},
    query: {
      status,
      createdFrom,
      createdTo,
      billingType,
      includeSystemPurchases,
      asOf,
      format,
      top: topOfFormat,
      cursor,
    },
  },
  checkRange,
)

export const customers = define({
  path: {},
  query: {
    search: described(z.string().max(200).optional(), {
      expected: 'at most 200 characters',
      title: 'Search',
      description: 'Part of the name or domain. Case and accents are ignored.',
      openapi: { type: 'string', maxLength: 200 },
    }),
    top,
    cursor,
  },
})

export const orderChanges = define({
  path: {},
  query: {
    customerTenantId: described(guid.optional(), { ...customerMeta, description: 'Only changes of this customer.' }),
    kind: oneOf(changeKinds, ['Created', 'Changed', 'Removed'], {
      title: 'Kind Of Change',
      description: 'Only changes of this kind.',
    }),
    top,
    cursor,
  },
})

/** The most customers of one snapshot over some customers. */
const mostCustomers = 100

export const startSnapshot = define(
  {
    path: {},
    query: {},
    body: {
      customerTenantIds: described(
        z
          .array(guid)
          .max(mostCustomers)
          // Flows send an empty list for a field that the user left empty.
          .transform(ids => (ids.length === 0 ? undefined : [...new Set(ids)]))
          .optional(),
        {
          expected: `an array of at most ${mostCustomers} GUIDs`,
          title: 'Customers',
          description: `Only these customers, at most ${mostCustomers}. The default is all customers.`,
          openapi: {
            type: 'array',
            items: { type: 'string', title: 'Customer', description: 'A Microsoft tenant id.' },
          },
          picks: 'customer',
        },
      ),
      failedOf: described(
        z
          .string()
          .toLowerCase()
          .pipe(z.enum(['latest']))
          .optional(),
        {
          expected: 'latest',
          title: 'Failed In',
          description:
            'Only the customers that failed in the newest snapshot. They are read again, and their changes are reported.',
          openapi: { type: 'string', enum: ['latest'] },
          labels: ['Newest Snapshot'],
          visibility: 'advanced',
        },
      ),
    },
  },
  ({ customerTenantIds, failedOf }) =>
    customerTenantIds !== undefined && failedOf !== undefined
      ? { target: 'failedOf', expected: 'absent if customerTenantIds is given' }
      : undefined,
)

const snapshotId = described(z.string().regex(snapshotIdPattern), {
  expected: 'a snapshot id such as 20261120T002000Z',
  title: 'Snapshot',
  description: 'The id of the snapshot, such as 20261120T002000Z.',
  openapi: { type: 'string' },
  visibility: 'important',
  picks: 'snapshot',
})

export const snapshot = define({ path: { snapshotId }, query: {} })

const runOrLatest = described(
  z
    .string()
    .transform(text => (text.toLowerCase() === 'latest' ? 'latest' : text))
    .pipe(z.string().regex(/^(\d{8}T\d{6}Z|latest)$/)),
  {
    expected: 'latest or a snapshot id such as 20261120T002000Z',
    title: 'Snapshot',
    description: 'The id of the snapshot, or latest for the newest one over all customers.',
    openapi: { type: 'string' },
    visibility: 'important',
    picks: 'snapshot',
  },
)

export const snapshotReport = define({
  path: { snapshotId: runOrLatest },
  query: {
    format: described(
      z
        .string()
        .toLowerCase()
        .pipe(z.enum(['html', 'email']))
        .default('html'),
      {
        expected: 'html or email',
        title: 'Form',
        description: 'A page for the browser, or a mail that Outlook shows.',
        openapi: { type: 'string', enum: ['html', 'email'], default: 'html' },
        labels: ['Page', 'Mail'],
        visibility: 'important',
      },
    ),
  },
})

export const snapshots = define({ path: {}, query: { top, cursor } })
