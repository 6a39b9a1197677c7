import { z } from 'zod'
import { compareInstants, type Instant, parseInstant, parseRfc3339, toMilliseconds } from '../orders/instant.ts'
import { changeKinds } from '../snapshots/shapes.ts'

/**
 * The parameters of every function. Each arrives as text (query, route, or a JSON scalar turned into its text) and
 * leaves as the type the use case takes. `expected` is what a caller who sent something else is told.
 */
const guid = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)
  .toLowerCase()

export const customerTenantId = guid.meta({
  expected: 'a GUID such as b0d70a69-4c42-4b27-b17b-91a835d8686a',
})

const trueOrFalse = (byDefault: boolean) =>
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(['true', 'false']))
    .transform(text => text === 'true')
    .default(byDefault)
    .meta({ expected: 'true or false' })

const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(values))
    .optional()
    .meta({ expected: `one of ${values.join(', ')}` })

const instant = z
  .string()
  .transform((text, context) => {
    const value = parseRfc3339(text)
    if (value === undefined) context.addIssue('not an instant')
    return value
  })
  .optional()
  .meta({ expected: 'an instant with a zone such as 2026-11-01T00:00:00Z (a + in a zone is sent as %2B)' })

/** Billing cycles of an order (learn.microsoft.com/partner-center/developer/order-resources, and the archived SDK's BillingCycleType). */
export const billingTypes = ['monthly', 'annual', 'one_time', 'none', 'triennial', 'biennial'] as const

/** Statuses of an order (learn.microsoft.com/partner-center/developer/order-resources). */
export const orderStatuses = ['pending', 'completed', 'cancelled', 'unknown'] as const

const format = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['json', 'csv']))
  .default('json')
  .meta({ expected: 'json or csv' })

/** Rows of one page. */
const top = z
  .string()
  .regex(/^\d{1,4}$/)
  .transform(Number)
  .refine(rows => rows >= 1 && rows <= 1000)
  .default(500)
  .meta({ expected: 'a whole number from 1 to 1000' })

const cursor = z
  .string()
  .max(4096)
  .regex(/^[\w-]+$/)
  .optional()
  .meta({ expected: 'one that this function gave out, unchanged' })

/** GUID, 12 hex digits or base64url have been seen; never anything that has a meaning in a path. */
const orderId = z
  .string()
  .regex(/^(?!\.+$)[\w.~:=+-]{1,128}$/)
  .meta({ expected: 'an order id: up to 128 letters, digits, - and _' })

/** The end of a date in UTC, or an instant, in milliseconds since 1970 UTC. */
const asOf = z
  .string()
  .transform((text, context) => {
    const isDate = /^\d{4}-\d{2}-\d{2}$/.test(text)
    const value = isDate ? parseInstant(text) : parseRfc3339(text)
    if (value === undefined) context.addIssue('neither a date nor an instant')
    return value === undefined ? 0 : toMilliseconds(value) + (isDate ? dayMs - 1 : 0)
  })
  .optional()
  .meta({ expected: 'a date such as 2026-11-20 or an instant with a zone such as 2026-11-20T12:00:00Z' })

const dayMs = 86_400_000

const orderFilters = {
  billingType: oneOf(billingTypes),
  includePrice: trueOrFalse(false),
  includeSystemPurchases: trueOrFalse(true),
  status: oneOf(orderStatuses),
  createdFrom: instant,
  createdTo: instant,
  asOf,
  allowStale: trueOrFalse(false),
}

/** The parameters of a function, by where they come from; `Values` is what the use case gets of them all. */
export type Parameters<Values> = {
  path: z.ZodRawShape
  query: z.ZodRawShape
  /** What a POST may send as a JSON object. */
  body?: z.ZodRawShape
  /** A rule over several parameters: the one at fault and what it has to be, or undefined. */
  check?: (values: Values) => { target: string; expected: string } | undefined
}

type DateRange = { createdFrom?: Instant | undefined; createdTo?: Instant | undefined }

const checkRange = ({ createdFrom, createdTo }: DateRange) =>
  createdFrom !== undefined && createdTo !== undefined && compareInstants(createdFrom, createdTo) >= 0
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
    expand: z
      .string()
      .toLowerCase()
      .pipe(z.enum(['provisioningstatus']))
      .optional()
      .meta({ expected: 'provisioningStatus' }),
    includePrice: orderFilters.includePrice,
  },
})

export const orderLines = define(
  { path: { customerTenantId }, query: { ...orderFilters, format, top, cursor } },
  checkRange,
)

export const customers = define({
  path: {},
  query: { search: z.string().max(200).optional().meta({ expected: 'at most 200 characters' }), top, cursor },
})

/** At most as many customers as one snapshot over some of them may have. */
const mostCustomers = 100

export const startSnapshot = define({
  path: {},
  query: {},
  body: {
    customerTenantIds: z
      .array(guid)
      .max(mostCustomers)
      .transform(ids => [...new Set(ids)])
      .optional()
      .meta({ expected: `an array of at most ${mostCustomers} GUIDs` }),
  },
})

export const snapshot = define({
  path: {
    snapshotId: z
      .string()
      .regex(/^\d{8}T\d{6}Z$/)
      .meta({ expected: 'a snapshot id such as 20261120T002000Z' }),
  },
  query: {},
})

export const snapshots = define({ path: {}, query: { top, cursor } })

export const orderChanges = define({
  path: {},
  query: { customerTenantId: customerTenantId.optional(), kind: oneOf(changeKinds), top, cursor },
})
