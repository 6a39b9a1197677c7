import { z } from 'zod'
import { parseInstant, parseRfc3339, toMilliseconds } from '../../orders/instant.ts'

/**
 * The kinds of parameters that functions have. Each arrives as text (query, route, or a JSON scalar turned into its text) and
 * leaves as the type the use case takes. What is said of a parameter stands beside its schema: to a caller who sent
 * something else (`expected`), and to makers, from whom the OpenAPI document takes it.
 */
export type ParameterMeta = {
  /** The form that a caller is told to send. */
  expected: string
  /** Its name on a form. */
  title: string
  description: string
  /** How OpenAPI 2.0 describes it. */
  openapi: {
    type: 'string' | 'boolean' | 'integer' | 'array'
    format?: string
    enum?: readonly string[]
    minimum?: number
    maximum?: number
    maxLength?: number
    default?: string | boolean | number
    items?: object
  }
  /** Labels of the values of an enum, in their order. */
  labels?: readonly string[]
  visibility?: 'important' | 'advanced' | 'internal'
  /** The list that makers pick the value from. */
  picks?: PickList
}

export type PickList = 'customer' | 'order' | 'snapshot'

export const described = <T extends z.ZodType>(schema: T, meta: ParameterMeta): T => schema.meta({ ...meta })

/** What a parameter's schema was described with. */
export const metaOf = (schema: unknown): ParameterMeta | undefined =>
  schema instanceof z.ZodType ? (schema.meta() as ParameterMeta | undefined) : undefined

export const guid = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)
  .toLowerCase()

export const customerMeta: ParameterMeta = {
  expected: 'a GUID such as b0d70a69-4c42-4b27-b17b-91a835d8686a',
  title: 'Customer',
  description: 'The customer: its Microsoft tenant id.',
  openapi: { type: 'string' },
  visibility: 'important',
  picks: 'customer',
}

export const customerTenantId = described(guid, customerMeta)

const trueOrFalse = (byDefault: boolean, meta: Pick<ParameterMeta, 'title' | 'description' | 'visibility'>) =>
  described(
    z
      .string()
      .toLowerCase()
      .pipe(z.enum(['true', 'false']))
      .transform(text => text === 'true')
      .default(byDefault),
    { expected: 'true or false', openapi: { type: 'boolean', default: byDefault }, ...meta },
  )

type EnumMeta = Pick<ParameterMeta, 'title' | 'description' | 'visibility'>

export const oneOf = <const T extends readonly [string, ...string[]]>(
  values: T,
  labels: readonly string[],
  meta: EnumMeta,
) =>
  described(z.string().toLowerCase().pipe(z.enum(values)).optional(), {
    expected: `one of ${values.join(', ')}`,
    openapi: { type: 'string', enum: values },
    labels,
    ...meta,
  })

const isDate = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text)

/**
 * The bound of a period: a timestamp, or a date, which stands for its start in UTC. OpenAPI has no format for both, and
 * the designer of flows refuses a date where the format is `date-time`.
 */
const bound = (title: string, description: string) =>
  described(
    z
      .string()
      .transform((text, context) => {
        const value = isDate(text) ? parseInstant(text) : parseRfc3339(text)
        if (value === undefined) context.addIssue('neither a date nor a timestamp')
        return value
      })
      .optional(),
    {
      expected:
        'a date such as 2026-11-01 (its start in UTC) or a timestamp with a zone such as 2026-11-01T00:00:00Z (a + in a zone is sent as %2B)',
      title,
      description,
      openapi: { type: 'string' },
    },
  )

/** Billing cycles of an order (learn.microsoft.com/partner-center/developer/order-resources, and the archived SDK's BillingCycleType). */
const billingTypes = ['monthly', 'annual', 'one_time', 'none', 'triennial', 'biennial'] as const

/** Statuses of an order (learn.microsoft.com/partner-center/developer/order-resources). */
const orderStatuses = ['pending', 'completed', 'cancelled', 'unknown'] as const

export const format = described(
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(['json', 'csv']))
    .default('json'),
  {
    expected: 'json or csv',
    title: 'Format',
    description: 'Rows as JSON, or all of them as one CSV file.',
    openapi: { type: 'string', enum: ['json', 'csv'], default: 'json' },
    labels: ['JSON', 'CSV'],
  },
)

const rows = z
  .string()
  .regex(/^\d{1,4}$/)
  .transform(Number)
  .refine(count => count >= 1 && count <= 1000)

const topMeta: ParameterMeta = {
  expected: 'a whole number from 1 to 1000',
  title: 'Page Size',
  description: 'The most rows of one page.',
  openapi: { type: 'integer', format: 'int32', minimum: 1, maximum: 1000 },
  visibility: 'advanced',
}

/** Rows of one page. */
export const defaultRows = 500
export const top = described(rows.default(defaultRows), {
  ...topMeta,
  openapi: { ...topMeta.openapi, default: defaultRows },
})

/** The same where the default depends on the format of the page. */
export const topOfFormat = described(rows.optional(), {
  ...topMeta,
  description: `The most rows of one page; ${defaultRows} if left out.`,
})

export const cursor = described(
  z
    .string()
    .max(4096)
    .regex(/^[\w-]+$/)
    .optional(),
  {
    expected: 'one that this function gave out, unchanged',
    title: 'Cursor',
    description: 'Where the page begins; taken from the link of the page before.',
    openapi: { type: 'string', maxLength: 4096 },
    visibility: 'internal',
  },
)

/** GUID, 12 hex digits or base64url have been seen; never anything that has a meaning in a path. */
export const orderId = described(z.string().regex(/^(?!\.+$)[\w.~:=+-]{1,128}$/), {
  expected: 'an order id: up to 128 letters, digits, - and _',
  title: 'Order',
  description: 'The id of the order. The list shows when each order was created.',
  openapi: { type: 'string', maxLength: 128 },
  visibility: 'important',
  picks: 'order',
})

const dayMs = 86_400_000

/** A timestamp, or a date, which stands for its end in UTC; in milliseconds since 1970 UTC. */
const asOf = described(
  z
    .string()
    .transform((text, context) => {
      const value = isDate(text) ? parseInstant(text) : parseRfc3339(text)
      if (value === undefined) context.addIssue('neither a date nor a timestamp')
      return value === undefined ? 0 : toMilliseconds(value) + (isDate(text) ? dayMs - 1 : 0)
    })
    .optional(),
  {
    expected: 'a date such as 2026-11-20 or a timestamp with a zone such as 2026-11-20T12:00:00Z',
    title: 'As Of',
    description:
      'A date (its end in UTC) or a timestamp: answers from the newest snapshot of that time or before, instead of live.',
    openapi: { type: 'string' },
    visibility: 'advanced',
  },
)

export const includePrice = trueOrFalse(false, {
  title: 'Include Prices',
  description: 'Adds prices, where the account behind the app has access to them.',
})

export const orderFilters = {
  status: oneOf(orderStatuses, ['Pending', 'Completed', 'Cancelled', 'Unknown'], {
    title: 'Status',
    description: 'Only orders with this status.',
  }),
  createdFrom: bound(
    'Created From',
    'Only orders created at this time or later. A date such as 2026-11-01 means the start of that day in UTC.',
  ),
  createdTo: bound(
    'Created Before',
    'Only orders created before this time. A date such as 2026-12-01 means the start of that day in UTC: the day itself is left out.',
  ),
  billingType: oneOf(billingTypes, ['Monthly', 'Annual', 'One Time', 'None (Trial)', 'Three Years', 'Two Years'], {
    title: 'Billing Cycle',
    description: 'Only orders with this billing cycle.',
  }),
  includePrice,
  includeSystemPurchases: trueOrFalse(true, {
    title: 'Include System Orders',
    description: 'Also orders that the system made, such as renewals.',
    visibility: 'advanced',
  }),
  asOf,
  allowStale: trueOrFalse(false, {
    title: 'Allow Older Orders',
    description: 'If the upstream service is down, answers from the newest snapshot instead of failing.',
    visibility: 'advanced',
  }),
}
