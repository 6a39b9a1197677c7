import { z } from 'zod'
import type { FollowingHealth } from '../http/responses/following-health.ts'
import type { OrderLine } from '../orders/order-lines.ts'
import type { Manifest, Snapshot } from '../snapshots/storage/shapes.ts'
import { changeKinds, status, trigger } from '../snapshots/storage/shapes.ts'

/**
 * What the functions answer, for makers to pick fields from. A member is only described where its type is certain: flows
 * check answers against the definition at run time, and what Partner Center is known to write in two ways (`renewsTo`,
 * `links`, `attributes`) passes through undescribed.
 */
const text = (title: string, description: string) => z.string().meta({ title, description })
const whole = (title: string, description: string) => z.int().meta({ title, description, format: 'int32' })
const money = (title: string, description: string) => z.number().meta({ title, description, format: 'double' })
const flag = (title: string, description: string) => z.boolean().meta({ title, description })
const instant = (title: string, description: string) => z.string().meta({ title, description, format: 'date-time' })

/**
 * An order. Its texts begin with a prefix where an answer holds two orders: the dynamic content of a flow lists members by
 * their titles alone, so that no title may occur twice in an answer.
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
    .meta({ title: `${prefix}Pricing`, description: 'Prices in the billing currency; only if asked for.' })

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
    transactionType: named(text, 'Order Transaction Type', 'UserPurchase, or what the system did.'),
    totalPrice: named(money, 'Total Price', 'The total before tax; only if asked for.'),
    lineItems: z.array(lineItem).meta({ title: `${prefix}Lines`, description: 'The lines of the order.' }),
  })
}

export const order = describeOrder('')

const provisioning = z.object({
  lineItemNumber: whole('Provisioned Line Number', 'The number of the line within its order.').optional(),
  status: text('Provisioning Status', 'Such as Fulfilled or Unfulfilled.').optional(),
})

export const orderWithStatus = order.extend({
  provisioningStatus: z
    .array(provisioning)
    .meta({ title: 'Provisioning', description: 'How far each line is provisioned; only if asked for.' })
    .optional(),
})

export const orderCollection = z.object({
  totalCount: whole('Count', 'The number of orders.'),
  items: z.array(order).meta({ title: 'Orders', description: 'The orders, the oldest first.' }),
})

const nextLink = text('Next Link', 'The address of the next page; absent on the last.').optional()

/** A page as the platform follows it by itself. */
const pageOf = (row: z.ZodType, title: string) =>
  z.object({ value: z.array(row).meta({ title, description: `The ${title.toLowerCase()} of this page.` }), nextLink })

export const orderLine = z.object({
  orderId: text('Order ID', 'The id of the order.'),
  alternateId: text('Alternate ID', 'The friendly id of the order.').optional(),
  customerTenantId: text('Customer ID', 'The tenant id of the customer.'),
  customerName: text('Customer Name', 'The name of the company, if it is known.').optional(),
  orderStatus: text('Order Status', 'The status of the order.').optional(),
  billingCycle: text('Billing Cycle', 'Such as monthly, annual or one_time.').optional(),
  currencyCode: text('Currency', 'The ISO 4217 code of the currency.').optional(),
  currencySymbol: text('Currency Symbol', 'The symbol of the currency.').optional(),
  orderTransactionType: text('Order Transaction Type', 'UserPurchase, or what the system did.').optional(),
  totalPrice: money('Order Total', 'The total of the whole order before tax; only if asked for.').optional(),
  orderedAt: instant('Ordered At', 'When the order was created, in UTC.').optional(),
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
export const orderLinePage = pageOf(orderLine, 'Lines')

const customer = z.object({
  customerTenantId: text('Customer ID', 'The tenant id of the customer.'),
  companyName: text('Customer Name', 'The name of the company.'),
  domain: text('Domain', 'The domain of the company.'),
  relationship: text('Relationship', 'The relationship to the partner, such as reseller.'),
})
export const customerPage = pageOf(customer, 'Customers')

/** An order of a change, without the ids that the change names itself. */
const changedOrder = (prefix: '' | 'Previous ') => describeOrder(prefix).omit({ id: true, referenceCustomerId: true })

const change = z.object({
  id: text('Change ID', 'The id of the change: the same whenever it is seen again.'),
  kind: z.enum(changeKinds).meta({ title: 'Kind Of Change', description: 'created, updated or removed.' }),
  snapshotId: text('Snapshot ID', 'The snapshot in which the change was found.'),
  detectedAt: instant('Detected At', 'When the change was found, in UTC.'),
  customerTenantId: text('Customer ID', 'The tenant id of the customer.'),
  customerName: text('Customer Name', 'The name of the company.').optional(),
  orderId: text('Order ID', 'The id of the order.'),
  changedMembers: z
    .array(text('Member', 'The name of a member that changed.'))
    .meta({ title: 'Changed Members', description: 'What changed of an updated order.' })
    .optional(),
  order: changedOrder('')
    .meta({ title: 'Order', description: 'The order as it is now; absent if it was removed.' })
    .optional(),
  previousOrder: changedOrder('Previous ')
    .meta({ title: 'Previous Order', description: 'The order as it was; absent if it was created.' })
    .optional(),
  previousSnapshotId: text('Previous Snapshot ID', 'The snapshot that the change was found against.').optional(),
})
const changesOf = (row: z.ZodType) =>
  z.object({
    value: z.array(row).meta({ title: 'Changes', description: 'The changes, the oldest first.' }),
    cursor: text('Cursor', 'Where to go on.'),
  })

export const changesPage = changesOf(change)

/** What the triggers for one kind of change give: without the members that this kind never has. */
export const createdPage = changesOf(change.omit({ changedMembers: true, previousOrder: true }))
export const removedPage = changesOf(change.omit({ changedMembers: true, order: true }))

const failure = (of: 'Failure' | 'Error') => ({
  code: text(`${of} Code`, 'The code of the failure.'),
  message: text(`${of} Message`, 'What happened and what fixes it.'),
})

const snapshotMembers = {
  snapshotId: text('Snapshot ID', 'The id of the snapshot.'),
  status: status.meta({ title: 'Status', description: 'running, succeeded, completedWithErrors or failed.' }),
  trigger: trigger.meta({ title: 'Trigger', description: 'What started it: timer or request.' }),
  startedAt: instant('Started At', 'When it began, in UTC.'),
  finishedAt: instant('Finished At', 'When it ended, in UTC.').optional(),
  asOf: instant('As Of', 'The time whose orders it holds, in UTC.').optional(),
  completeThrough: instant('Complete Through', 'Younger orders may be missing, in UTC.').optional(),
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
      removed: whole('Orders Removed', 'Orders that are gone.'),
    })
    .meta({ title: 'Changes', description: 'Changes against the snapshot before.' }),
  missedByFollowing: whole(
    'Changes Missed',
    'Changes that following the activity log should have told before.',
  ).optional(),
}

export const snapshot = z.object(snapshotMembers)
export const snapshotPage = pageOf(snapshot, 'Snapshots')

export const manifest = z.object({
  ...snapshotMembers,
  path: text('Path', 'Where its files lie in the container.'),
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

export const healthDetails = z.object({
  status: text('Status', 'ok or degraded.'),
  partnerCenter: z
    .object({
      reachable: flag('Reachable', 'True if the upstream service answers.'),
      checkedAt: instant('Checked At', 'When it was asked, in UTC.'),
    })
    .meta({ title: 'Upstream', description: 'The upstream service.' }),
  following: z
    .object({
      status: text('Following Status', 'off, unavailable, waiting, ok or failing.'),
      position: instant('Followed Through', 'Until when changes in the activity log are told, in UTC.').optional(),
      lagMinutes: whole('Lag In Minutes', 'How long ago that is.').optional(),
      error: z.object(failure('Error')).meta({ title: 'Following Error', description: 'Why.' }).optional(),
    })
    .meta({ title: 'Following', description: 'How the activity log is followed between snapshots.' }),
})

type Describes<Schema extends z.ZodType, Returned> = Returned extends z.input<Schema> ? true : never
type Holds<T extends true> = T

/** The compiler checks that these schemas describe what the functions return. */
export type ReturnedShapes = [
  Holds<Describes<typeof orderLine, OrderLine>>,
  Holds<Describes<typeof snapshot, Snapshot>>,
  Holds<Describes<typeof manifest, Manifest>>,
  Holds<Describes<typeof healthDetails.shape.following, FollowingHealth>>,
]

/** A text: the one answer that is no object. */
export const report = z.string().meta({ description: 'The report as HTML.' })
