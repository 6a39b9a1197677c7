import * as z from 'zod'
import type { FollowingHealth } from '../http/responses/following-health.ts'
import type { OrderLine } from '../orders/order-lines.ts'
import type { Manifest, Snapshot } from '../snapshots/storage/shapes.ts'
import { changeKinds, statusSchema, triggerSchema } from '../snapshots/storage/shapes.ts'

/**
 * The responses of the functions, from which makers pick fields. A member is described only if its type is certain,
 * because flows check responses against the definition at run time. Members that Partner Center writes in two ways
 * (`renewsTo`, `links`, `attributes`) are omitted.
 */
const text = (title: string, description: string) => z.string().meta({ title, description })
const whole = (title: string, description: string) => z.int().meta({ title, description, format: 'int32' })
const money = (title: string, description: string) => z.number().meta({ title, description, format: 'double' })
const flag = (title: string, description: string) => z.boolean().meta({ title, description })
const timestamp = (title: string, description: string) => z.string().meta({ title, description, format: 'date-time' })

/**
 * An order. If a response has two orders, the titles of one get a prefix. The dynamic content of a flow lists members
 * by title alone, so a title must not occur twice in a response.
 */
function describeOrder(prefix: '' | 'Previous ') {
  const named = <T extends z.ZodType>(
    kind: (title: string, description: string) => T,
    title: string,
    description: string,
  ) => kind(prefix + title, description).optional()

  const pricing = z
    .object({
      listPrice: named(money, 'List Price', 'The list price of one unit, before tax.'),
      discountedPrice: named(money, 'Discounted Price', 'The price of one unit after discounts, before tax.'),
      proratedPrice: named(money, 'Prorated Price', 'The price of one unit for the part of the term, before tax.'),
      price: named(money, 'Unit Price', 'The price of one unit, before tax.'),
      extendedPrice: named(money, 'Extended Price', 'Price times quantity, less refunds, before tax.'),
    })
    .meta({ title: `${prefix}Pricing`, description: 'Prices in the billing currency. Only on request.' })

  const lineItem = z.object({
    lineItemNumber: named(whole, 'Line Number', 'The number of the line within its order.'),
    offerId: named(text, 'Offer ID', 'The id of the offer; product:sku:availability for new commerce.'),
    subscriptionId: named(text, 'Subscription ID', 'The id of the subscription.'),
    parentSubscriptionId: named(text, 'Parent Subscription ID', 'The subscription that an add-on belongs to.'),
    friendlyName: named(text, 'Line Name', 'The name of the line, such as that of the product.'),
    quantity: named(whole, 'Quantity', 'The number of units; 0 if the line was cancelled.'),
    termDuration: named(text, 'Term', 'The term as an ISO 8601 duration, such as P1Y.'),
    transactionType: named(text, 'Line Transaction Type', 'Such as new, renew or addQuantity.'),
    partnerIdOnRecord: named(text, 'Partner On Record', 'The partner id of the reseller.'),
    promotionId: named(text, 'Promotion ID', 'The id of the promotion.'),
    customTermEndDate: named(text, 'Custom Term End', 'The end of the first term, as the upstream service writes it.'),
    pricing: pricing.optional(),
  })

  return z.object({
    id: named(text, 'Order ID', 'The id of the order.'),
    alternateId: named(text, 'Alternate ID', 'The friendly id of the order.'),
    referenceCustomerId: named(text, 'Customer ID', 'The tenant id of the customer.'),
    billingCycle: named(text, 'Billing Cycle', 'Such as monthly, annual or one_time.'),
    currencyCode: named(text, 'Currency', 'The ISO 4217 code of the currency.'),
    currencySymbol: named(text, 'Currency Symbol', 'The symbol of the currency.'),
    creationDate: named(text, 'Created', 'When the order was created, as the upstream service writes it.'),
    status: named(text, 'Status', 'Such as pending, completed or cancelled.'),
    transactionType: named(text, 'Order Transaction Type', 'UserPurchase, or the operation of the system.'),
    totalPrice: named(money, 'Total Price', 'The total before tax. Only on request.'),
    lineItems: z.array(lineItem).meta({ title: `${prefix}Lines`, description: 'The lines of the order.' }),
  })
}

const orderSchema = describeOrder('')

const provisioningSchema = z.object({
  lineItemNumber: whole('Provisioned Line Number', 'The number of the line within its order.').optional(),
  status: text('Provisioning Status', 'Such as Fulfilled or Unfulfilled.').optional(),
})

export const orderWithStatusSchema = orderSchema.extend({
  provisioningStatus: z
    .array(provisioningSchema)
    .meta({ title: 'Provisioning', description: 'The provisioning status of each line. Only on request.' })
    .optional(),
})

export const orderCollectionSchema = z.object({
  totalCount: whole('Count', 'The number of orders.'),
  items: z.array(orderSchema).meta({ title: 'Orders', description: 'The orders, oldest first.' }),
})

const nextLink = text('Next Link', 'The address of the next page. Absent on the last page.').optional()

/** A page. The platform follows its link automatically. */
const pageOf = (row: z.ZodType, title: string) =>
  z.object({ value: z.array(row).meta({ title, description: `The ${title.toLowerCase()} of this page.` }), nextLink })

export const orderLineSchema = z.object({
  orderId: text('Order ID', 'The id of the order.'),
  alternateId: text('Alternate ID', 'The friendly id of the order.').optional(),
  customerTenantId: text('Customer ID', 'The tenant id of the customer.'),
  customerName: text('Customer Name', 'The name of the company, if it is known.').optional(),
  orderStatus: text('Order Status', 'The status of the order.').optional(),
  billingCycle: text('Billing Cycle', 'Such as monthly, annual or one_time.').optional(),
  currencyCode: text('Currency', 'The ISO 4217 code of the currency.').optional(),
  currencySymbol: text('Currency Symbol', 'The symbol of the currency.').optional(),
  orderTransactionType: text('Order Transaction Type', 'UserPurchase, or the operation of the system.').optional(),
  totalPrice: money('Order Total', 'The total of the whole order before tax. Only on request.').optional(),
  orderedAt: timestamp('Ordered At', 'When the order was created, in UTC.').optional(),
  creationDate: text('Created', 'When the order was created, as the upstream service writes it.').optional(),
  lineNumber: whole('Line Number', 'The number of the line within its order.'),
  offerId: text('Offer ID', 'The id of the offer.'),
  isNewCommerce: flag('New Commerce', 'True for a new-commerce offer.'),
  productId: text('Product ID', 'The product of a new-commerce offer.').optional(),
  skuId: text('SKU ID', 'The SKU of a new-commerce offer.').optional(),
  availabilityId: text('Availability ID', 'The availability of a new-commerce offer.').optional(),
  friendlyName: text('Line Name', 'The name of the line, such as that of the product.').optional(),
  quantity: money('Quantity', 'The number of units.'),
  isCancelled: flag('Cancelled', 'True if the line was cancelled: its quantity is 0.'),
  subscriptionId: text('Subscription ID', 'The id of the subscription, in lower case.').optional(),
  parentSubscriptionId: text('Parent Subscription ID', 'The subscription that an add-on belongs to.').optional(),
  termDuration: text('Term', 'The term as an ISO 8601 duration, such as P1Y.').optional(),
  termMonths: whole('Term Months', 'The months of the term.').optional(),
  renewalTermDuration: text('Renewal Term', 'The term it renews to, as an ISO 8601 duration.').optional(),
  promotionId: text('Promotion ID', 'The id of the promotion.').optional(),
  customTermEndDate: text(
    'Custom Term End',
    'The end of the first term, as the upstream service writes it.',
  ).optional(),
  partnerIdOnRecord: text('Partner On Record', 'The partner id of the reseller.').optional(),
  lineTransactionType: text('Line Transaction Type', 'Such as new, renew or addQuantity.').optional(),
  listPrice: money('List Price', 'The list price of one unit, before tax.').optional(),
  discountedPrice: money('Discounted Price', 'The price of one unit after discounts, before tax.').optional(),
  proratedPrice: money('Prorated Price', 'The price of one unit for the part of the term, before tax.').optional(),
  unitPrice: money('Unit Price', 'The price of one unit, before tax.').optional(),
  extendedPrice: money('Extended Price', 'Price times quantity, less refunds, before tax.').optional(),
})
export const orderLinePageSchema = pageOf(orderLineSchema, 'Lines')

const customerSchema = z.object({
  customerTenantId: text('Customer ID', 'The tenant id of the customer.'),
  companyName: text('Customer Name', 'The name of the company.'),
  domain: text('Domain', 'The domain of the company.'),
  relationship: text('Relationship', 'The relationship to the partner, such as reseller.'),
})
export const customerPageSchema = pageOf(customerSchema, 'Customers')

/** The order of a change, without the ids that the change has itself. */
const changedOrder = (prefix: '' | 'Previous ') => describeOrder(prefix).omit({ id: true, referenceCustomerId: true })

const changeSchema = z.object({
  id: text('Change ID', 'The id of the change. It is the same each time the change is returned.'),
  kind: z.enum(changeKinds).meta({ title: 'Kind Of Change', description: 'created, updated or removed.' }),
  snapshotId: text('Snapshot ID', 'The snapshot in which the change was found.'),
  detectedAt: timestamp('Detected At', 'When the change was found, in UTC.'),
  customerTenantId: text('Customer ID', 'The tenant id of the customer.'),
  customerName: text('Customer Name', 'The name of the company.').optional(),
  orderId: text('Order ID', 'The id of the order.'),
  changedMembers: z
    .array(text('Member', 'The name of a member that changed.'))
    .meta({ title: 'Changed Members', description: 'The changed members of an updated order.' })
    .optional(),
  order: changedOrder('').meta({ title: 'Order', description: 'The order now. Absent if it was removed.' }).optional(),
  previousOrder: changedOrder('Previous ')
    .meta({ title: 'Previous Order', description: 'The order before. Absent if it was created.' })
    .optional(),
  previousSnapshotId: text('Previous Snapshot ID', 'The snapshot that the orders were compared with.').optional(),
})
const changesOf = (row: z.ZodType) =>
  z.object({
    value: z.array(row).meta({ title: 'Changes', description: 'The changes, oldest first.' }),
    cursor: text('Cursor', 'The start of the next poll.'),
  })

export const changesPageSchema = changesOf(changeSchema)

/** The pages of the triggers for one kind of change, without the members that this kind never has. */
export const createdPageSchema = changesOf(changeSchema.omit({ changedMembers: true, previousOrder: true }))
export const removedPageSchema = changesOf(changeSchema.omit({ changedMembers: true, order: true }))

const failure = (of: 'Failure' | 'Error') => ({
  code: text(`${of} Code`, 'The code of the failure.'),
  message: text(`${of} Message`, 'What happened and what fixes it.'),
})

const snapshotMembers = {
  snapshotId: text('Snapshot ID', 'The id of the snapshot.'),
  status: statusSchema.meta({ title: 'Status', description: 'running, succeeded, completedWithErrors or failed.' }),
  trigger: triggerSchema.meta({ title: 'Trigger', description: 'What started it: timer or request.' }),
  startedAt: timestamp('Started At', 'When it began, in UTC.'),
  finishedAt: timestamp('Finished At', 'When it ended, in UTC.').optional(),
  asOf: timestamp('As Of', 'The time of its orders, in UTC.').optional(),
  completeThrough: timestamp('Complete Through', 'Later orders can be missing, in UTC.').optional(),
  customers: z
    .object({
      planned: whole('Customers Planned', 'Customers to read.'),
      read: whole('Customers Read', 'Customers that were read.'),
      failed: whole('Customers Failed', 'Customers that could not be read.'),
    })
    .meta({ title: 'Customers', description: 'How many customers.' }),
  orders: whole('Orders', 'The number of orders.'),
  bytes: z.int().meta({ title: 'Bytes', description: 'The bytes of its parts.', format: 'int64' }),
  changes: z
    .object({
      created: whole('Orders Created', 'Orders that are new.'),
      updated: whole('Orders Updated', 'Orders that changed.'),
      removed: whole('Orders Removed', 'Orders that were removed.'),
    })
    .meta({ title: 'Changes', description: 'Changes since the previous snapshot.' }),
  missedByFollowing: whole(
    'Changes Missed',
    'Changes that following the activity log should have reported before.',
  ).optional(),
}

export const snapshotSchema = z.object(snapshotMembers)
export const snapshotPageSchema = pageOf(snapshotSchema, 'Snapshots')

export const manifestSchema = z.object({
  ...snapshotMembers,
  path: text('Path', 'The folder of its files in the container.'),
  parts: z
    .array(
      z.object({
        name: text('Part Name', 'The name of the file.'),
        orders: whole('Part Orders', 'The number of orders.'),
        bytes: z.int().meta({ title: 'Part Bytes', description: 'The size of the file.', format: 'int64' }),
        sha256: text('Part Hash', 'The SHA-256 of the file.'),
      }),
    )
    .meta({ title: 'Parts', description: 'The files of the snapshot.' }),
  failures: z
    .array(
      z.object({
        customerTenantId: text('Customer ID', 'The tenant id of the customer.'),
        customerName: text('Customer Name', 'The name of the company.').optional(),
        ...failure('Failure'),
      }),
    )
    .meta({ title: 'Failures', description: 'Customers that could not be read, at most 1,000.' }),
  error: z.object(failure('Error')).meta({ title: 'Error', description: 'Why it failed.' }).optional(),
})

export const healthDetailsSchema = z.object({
  status: text('Status', 'ok or degraded.'),
  partnerCenter: z
    .object({
      reachable: flag('Reachable', 'True if the upstream service responds.'),
      checkedAt: timestamp('Checked At', 'When it was checked, in UTC.'),
    })
    .meta({ title: 'Upstream', description: 'The upstream service.' }),
  following: z
    .object({
      status: text('Following Status', 'off, unavailable, waiting, ok or failing.'),
      position: timestamp(
        'Followed Through',
        'All changes in the activity log up to this time are reported, in UTC.',
      ).optional(),
      lagMinutes: whole('Lag In Minutes', 'The minutes since then.').optional(),
      error: z
        .object(failure('Error'))
        .meta({ title: 'Following Error', description: 'Why following fails.' })
        .optional(),
    })
    .meta({ title: 'Following', description: 'How the activity log is followed between snapshots.' }),
})

type Describes<Schema extends z.ZodType, Returned> = Returned extends z.input<Schema> ? true : never
type Holds<T extends true> = T

/** The compiler checks that these schemas describe what the functions return. */
export type ReturnedShapes = [
  Holds<Describes<typeof orderLineSchema, OrderLine>>,
  Holds<Describes<typeof snapshotSchema, Snapshot>>,
  Holds<Describes<typeof manifestSchema, Manifest>>,
  Holds<Describes<typeof healthDetailsSchema.shape.following, FollowingHealth>>,
]

/** The report is a text. All other responses are objects. */
export const reportSchema = z.string().meta({ description: 'The report as HTML.' })
