import { z } from 'zod'
import { dayMs } from '../../formats/days.ts'
import { guidPattern } from '../../formats/guid.ts'
import { parseRfc3339, parseTimestamp, toMilliseconds } from '../../orders/timestamp.ts'

/**
 * The kinds of parameters. A value arrives as text (query, route, or a JSON scalar converted to text) and is converted
 * to the type that the use case takes. Each schema has its descriptions beside it: `expected` for error messages, the
 * others for the OpenAPI document.
 */
export type ParameterMeta = {
  /** The expected form, as an error message states it. */
  expected: string
  /** The label on a form. */
  title: string
  description: string
  /** The OpenAPI 2.0 description. */
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
  /** The labels of the enum values, in the same order. */
  labels?: readonly string[]
  visibility?: 'important' | 'advanced' | 'internal'
  /** The list from which a maker picks the value. */
  picks?: PickList
}

export type PickList = 'customer' | 'order' | 'snapshot'

export const described = <T extends z.ZodType>(schema: T, meta: ParameterMeta): T => schema.meta({ ...meta })

/** The description that `described` attached to a schema. */
export const metaOf = (schema: unknown): ParameterMeta | undefined =>
  schema instanceof z.ZodType ? (schema.meta() as ParameterMeta | undefined) : undefined

export const guid = z.string().regex(guidPattern).toLowerCase()

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
 * The start or end of a period: a timestamp, or a date, which means its start in UTC. OpenAPI has no format for both,
 * and the flow designer rejects a date where the format is `date-time`.
 */
const bound = (title: string, description: string) =>
  described(
    z
      .string()
      .transform((text, context) => {
        const value = isDate(text) ? parseTimestamp(text) : parseRfc3339(text)
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
    description: 'Rows as JSON, or all rows as one CSV file.',
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
  description: 'The maximum number of rows on a page.',
  openapi: { type: 'integer', format: 'int32', minimum: 1, maximum: 1000 },
  visibility: 'advanced',
}

/** The default number of rows on a page. */
export const defaultRows = 500
export const top = described(rows.default(defaultRows), {
  ...topMeta,
  openapi: { ...topMeta.openapi, default: defaultRows },
})

/** The same parameter for functions whose default depends on the format. */
export const topOfFormat = described(rows.optional(), {
  ...topMeta,
  description: `The maximum number of rows on a page. The default is ${defaultRows}.`,
})

export const cursor = described(
  z
    .string()
    .max(4096)
    .regex(/^[\w-]+$/)
    .optional(),
  {
    expected: 'an unchanged cursor that this function returned',
    title: 'Cursor',
    description: 'The start of the page, from the link of the previous page.',
    openapi: { type: 'string', maxLength: 4096 },
    visibility: 'internal',
  },
)

/** Partner Center uses GUIDs, 12 hex digits and base64url. Characters with a meaning in a path are rejected. */
export const orderId = described(z.string().regex(/^(?!\.+$)[\w.~:=+-]{1,128}$/), {
  expected: 'an order id: up to 128 letters, digits, - and _',
  title: 'Order',
  description: 'The id of the order. The list shows the creation date of each order.',
  openapi: { type: 'string', maxLength: 128 },
  visibility: 'important',
  picks: 'order',
})

/** A timestamp, or a date, which means its end in UTC. In milliseconds since 1970 UTC. */
const asOf = described(
  z
    .string()
    .transform((text, context) => {
      const value = isDate(text) ? parseTimestamp(text) : parseRfc3339(text)
      if (value === undefined) context.addIssue('neither a date nor a timestamp')
      return value === undefined ? 0 : toMilliseconds(value) + (isDate(text) ? dayMs - 1 : 0)
    })
    .optional(),
  {
    expected: 'a date such as 2026-11-20 or a timestamp with a zone such as 2026-11-20T12:00:00Z',
    title: 'As Of',
    description:
      'A date (its end in UTC) or a timestamp. The response then comes from the newest snapshot of that time or before, not from a live call.',
    openapi: { type: 'string' },
    visibility: 'advanced',
  },
)

export const includePrice = trueOrFalse(false, {
  title: 'Include Prices',
  description: 'Adds prices if the account of the app has access to them.',
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
    'Only orders created before this time. A date such as 2026-12-01 means the start of that day in UTC, so the day itself is excluded.',
  ),
  billingType: oneOf(billingTypes, ['Monthly', 'Annual', 'One Time', 'None (Trial)', 'Three Years', 'Two Years'], {
    title: 'Billing Cycle',
    description: 'Only orders with this billing cycle.',
  }),
  includePrice,
  includeSystemPurchases: trueOrFalse(true, {
    title: 'Include System Orders',
    description: 'Includes orders that the system created, such as renewals.',
    visibility: 'advanced',
  }),
  asOf,
  allowStale: trueOrFalse(false, {
    title: 'Allow Older Orders',
    description: 'If the upstream service is down, the response comes from the newest snapshot.',
    visibility: 'advanced',
  }),
}
