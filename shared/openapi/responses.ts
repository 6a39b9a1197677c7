import { z } from 'zod'
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

const pricing = z
  .object({
    listPrice: money('List Price', 'The list price of one unit, before tax.').optional(),
    discountedPrice: money('Discounted Price', 'The price of one unit after discounts, before tax.').optional(),
    proratedPrice: money('Prorated Price', 'The price of one unit for the part of the term, before tax.').optional(),
    price: money('Unit Price', 'The price of one unit, before tax.').optional(),
    extendedPrice: money('Extended Price', 'Price times quantity, less refunds, before tax.').optional(),
  })
  .meta({ title: 'Pricing', description: 'Prices in the billing currency; only if asked for.' })

const lineItem = z.object({
  lineItemNumber: whole('Line Number', 'The number of the line within its order.').optional(),
  offerId: text('Offer', 'The id of the offer; product:sku:availability for new commerce.').optional(),
  subscriptionId: text('Subscription', 'The id of the subscription.').optional(),
  parentSubscriptionId: text('Parent Subscription', 'The id of the subscription that an add-on belongs to.').optional(),
  friendlyName: text('Name', 'The name of the line.').optional(),
  quantity: whole('Quantity', 'The number of units; 0 if the line was cancelled.').optional(),
  termDuration: text('Term', 'The term as an ISO 8601 duration, such as P1Y.').optional(),
  transactionType: text('Transaction Type', 'Such as new, renew or addQuantity.').optional(),
  partnerIdOnRecord: text('Partner On Record', 'The partner id of the reseller.').optional(),
  promotionId: text('Promotion', 'The id of the promotion.').optional(),
  customTermEndDate: text(
    'Custom Term End',
    'The end of the first term, as the upstream service writes it.',
  ).optional(),
  pricing: pricing.optional(),
})

const orderMembers = {
  id: text('Order', 'The id of the order.').optional(),
  alternateId: text('Alternate Id', 'The friendly id of the order.').optional(),
  referenceCustomerId: text('Customer', 'The tenant id of the customer.').optional(),
  billingCycle: text('Billing Cycle', 'Such as monthly, annual or one_time.').optional(),
  currencyCode: text('Currency', 'The ISO 4217 code of the currency.').optional(),
  currencySymbol: text('Currency Symbol', 'The symbol of the currency.').optional(),
  creationDate: text('Created', 'When the order was created, as the upstream service writes it.').optional(),
  status: text('Status', 'Such as pending, completed or cancelled.').optional(),
  transactionType: text('Transaction Type', 'UserPurchase, or what the system did.').optional(),
  totalPrice: money('Total Price', 'The total before tax; only if asked for.').optional(),
  lineItems: z.array(lineItem).meta({ title: 'Lines', description: 'The lines of the order.' }),
}

export const order = z.object(orderMembers)

const provisioning = z.object({
  lineItemNumber: whole('Line Number', 'The number of the line within its order.').optional(),
  status: text('Status', 'Such as Fulfilled or Unfulfilled.').optional(),
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
  orderId: text('Order', 'The id of the order.'),
  alternateId: text('Alternate Id', 'The friendly id of the order.').optional(),
  customerTenantId: text('Customer', 'The tenant id of the customer.'),
  orderStatus: text('Order Status', 'The status of the order.').optional(),
  billingCycle: text('Billing Cycle', 'Such as monthly, annual or one_time.').optional(),
  currencyCode: text('Currency', 'The ISO 4217 code of the currency.').optional(),
  currencySymbol: text('Currency Symbol', 'The symbol of the currency.').optional(),
  orderTransactionType: text('Order Transaction Type', 'UserPurchase, or what the system did.').optional(),
  totalPrice: money('Order Total', 'The total of the whole order before tax; only if asked for.').optional(),
  orderedAt: instant('Ordered At', 'When the order was created, in UTC.').optional(),
  creationDate: text('Created', 'When the order was created, as the upstream service writes it.').optional(),
  lineNumber: whole('Line Number', 'The number of the line within its order.'),
  offerId: text('Offer', 'The id of the offer.'),
  isNewCommerce: flag('New Commerce', 'True for a new-commerce offer.'),
  productId: text('Product', 'The product of a new-commerce offer.').optional(),
  skuId: text('Sku', 'The SKU of a new-commerce offer.').optional(),
  availabilityId: text('Availability', 'The availability of a new-commerce offer.').optional(),
  friendlyName: text('Name', 'The name of the line.').optional(),
  quantity: money('Quantity', 'The number of units.'),
  isCancelled: flag('Cancelled', 'True if the line was cancelled: its quantity is 0.'),
  subscriptionId: text('Subscription', 'The id of the subscription, in lower case.').optional(),
  parentSubscriptionId: text('Parent Subscription', 'The subscription that an add-on belongs to.').optional(),
  termDuration: text('Term', 'The term as an ISO 8601 duration, such as P1Y.').optional(),
  termMonths: whole('Term Months', 'The months of the term.').optional(),
  renewalTermDuration: text('Renewal Term', 'The term it renews to, as an ISO 8601 duration.').optional(),
  promotionId: text('Promotion', 'The id of the promotion.').optional(),
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
  customerTenantId: text('Customer', 'The tenant id of the customer.'),
  companyName: text('Company', 'The name of the company.'),
  domain: text('Domain', 'The domain of the company.'),
  relationship: text('Relationship', 'The relationship to the partner, such as reseller.'),
})
export const customerPage = pageOf(customer, 'Customers')

const change = z.object({
  id: text('Change', 'The id of the change: the same whenever it is seen again.'),
  kind: z.enum(changeKinds).meta({ title: 'Kind', description: 'created, updated or removed.' }),
  snapshotId: text('Snapshot', 'The snapshot in which the change was found.'),
  detectedAt: instant('Detected At', 'When the change was found, in UTC.'),
  customerTenantId: text('Customer', 'The tenant id of the customer.'),
  customerName: text('Company', 'The name of the company.').optional(),
  orderId: text('Order', 'The id of the order.'),
  changedMembers: z
    .array(text('Member', 'The name of a member that changed.'))
    .meta({ title: 'Changed Members', description: 'What changed of an updated order.' })
    .optional(),
  order: order.meta({ title: 'New', description: 'The order as it is now; absent if it was removed.' }).optional(),
  previousOrder: order.meta({ title: 'Old', description: 'The order as it was; absent if it was created.' }).optional(),
})
export const changesPage = z.object({
  value: z.array(change).meta({ title: 'Changes', description: 'The changes, the oldest first.' }),
  cursor: text('Cursor', 'Where to go on.'),
})

const failure = {
  code: text('Code', 'The code of the failure.'),
  message: text('Message', 'What happened and what mends it.'),
}

const snapshotMembers = {
  snapshotId: text('Snapshot', 'The id of the snapshot.'),
  status: status.meta({ title: 'Status', description: 'running, succeeded, completedWithErrors or failed.' }),
  trigger: trigger.meta({ title: 'Trigger', description: 'What started it: timer or request.' }),
  startedAt: instant('Started At', 'When it began, in UTC.'),
  finishedAt: instant('Finished At', 'When it ended, in UTC.').optional(),
  asOf: instant('As Of', 'The time whose orders it holds, in UTC.').optional(),
  completeThrough: instant('Complete Through', 'Younger orders may be missing, in UTC.').optional(),
  customers: z
    .object({
      planned: whole('Planned', 'Customers to read.'),
      read: whole('Read', 'Customers that were read.'),
      failed: whole('Failed', 'Customers that could not be read.'),
    })
    .meta({ title: 'Customers', description: 'How many customers.' }),
  orders: whole('Orders', 'The number of orders.'),
  bytes: z.int().meta({ title: 'Bytes', description: 'The bytes of its parts.', format: 'int64' }),
  changes: z
    .object({
      created: whole('Created', 'Orders that are new.'),
      updated: whole('Updated', 'Orders that changed.'),
      removed: whole('Removed', 'Orders that are gone.'),
    })
    .meta({ title: 'Changes', description: 'Changes against the snapshot before.' }),
}

export const snapshot = z.object(snapshotMembers)
/** A run of which no more is known than that it goes on. */
export const runningSnapshot = z.object({
  snapshotId: snapshotMembers.snapshotId,
  status: text('Status', 'running.'),
})
export const snapshotPage = pageOf(snapshot, 'Snapshots')

export const manifest = z.object({
  ...snapshotMembers,
  path: text('Path', 'Where its files lie in the container.'),
  parts: z
    .array(
      z.object({
        name: text('Name', 'The name of the file.'),
        orders: whole('Orders', 'The number of orders.'),
        bytes: z.int().meta({ title: 'Bytes', description: 'The size of the file.', format: 'int64' }),
        sha256: text('Hash', 'The SHA-256 of the file.'),
      }),
    )
    .meta({ title: 'Parts', description: 'The files of the snapshot.' }),
  failures: z
    .array(
      z.object({
        customerTenantId: text('Customer', 'The tenant id of the customer.'),
        customerName: text('Company', 'The name of the company.').optional(),
        ...failure,
      }),
    )
    .meta({ title: 'Failures', description: 'Customers that could not be read, at most 1,000.' }),
  error: z.object(failure).meta({ title: 'Error', description: 'Why it failed.' }).optional(),
})

export const healthDetails = z.object({
  status: text('Status', 'ok or degraded.'),
  partnerCenter: z
    .object({
      reachable: flag('Reachable', 'True if the upstream service answers.'),
      checkedAt: instant('Checked At', 'When it was asked, in UTC.'),
    })
    .meta({ title: 'Upstream', description: 'The upstream service.' }),
})

type Describes<Schema extends z.ZodType, Returned> = Returned extends z.input<Schema> ? true : never
type Holds<T extends true> = T

/** The compiler's word that these describe what the functions return. */
export type ReturnedShapes = [
  Holds<Describes<typeof orderLine, OrderLine>>,
  Holds<Describes<typeof snapshot, Snapshot>>,
  Holds<Describes<typeof manifest, Manifest>>,
]
