import { createHash } from 'node:crypto'
import documentedOrders from './documented-orders.json' with { type: 'json' }

/** A line, an order and a customer in Partner Center's form. Members that the code does not use are left open. */
type SimulatedLine = Record<string, unknown> & { quantity: number }
export type SimulatedOrder = Record<string, unknown> & {
  id: string
  billingCycle: string
  transactionType?: string
  lineItems?: SimulatedLine[]
}
export type SimulatedCustomer = {
  id: string
  companyName: string
  domain: string
  relationship: string
  orders: SimulatedOrder[]
}

/** The customer of the samples in the documentation. */
export const documentedCustomerId = 'b0d70a69-4c42-4b27-b17b-91a835d8686a'

/** Random numbers in [0, 1) that depend only on the seed. */
export function seededRandom(seed: string): () => number {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0)
  return () => {
    // The public-domain generator mulberry32.
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A GUID that depends only on the text. */
export function guidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}

const places = [
  'Aarhus',
  'Århus',
  'Málaga',
  'Zürich',
  'Łódź',
  'Besançon',
  'Tromsø',
  'Izmir',
  'Reykjavík',
  'Utrecht',
  'Pécs',
  'Braga',
]
const trades = [
  'Bakery',
  'Logistics',
  'Clinic',
  'Optics',
  'Brewery',
  'Notaries',
  'Shipyard',
  'Seeds',
  'Robotics',
  'Museum',
]
const forms = ['AG', 'Ltd', 'S.A.', 'ApS', 'GmbH', 'B.V.']

const newOffers = [
  { offer: 'CFQ7TTC0LH18:0001:CFQ7TTC0K5BH', name: 'Microsoft 365 Business Basic', price: 5.1 },
  { offer: 'CFQ7TTC0LCHC:0002:CFQ7TTC0J1GB', name: 'Microsoft 365 Business Premium', price: 18.72 },
  { offer: 'CFQ7TTC0LFLX:0001:CFQ7TTC0K8P5', name: 'Microsoft 365 E3 – “unified”', price: 31.25 },
  { offer: 'CFQ7TTC0HL8W:0003:CFQ7TTC0KJR6', name: 'Power BI Pro', price: 8.4 },
  { offer: 'DZH318Z0BQ4B:000Z:DZH318Z0DSPL', name: 'Reserved VM Instance, Standard D1', price: 412.0 },
]
const legacyOffers = [
  { offer: '84A03D81-6B37-4D66-8D4A-FAEA24541538', name: 'Office 365 Enterprise E1', price: 6.7 },
  { offer: 'MS-AZR-0145P', name: 'Microsoft Azure', price: 0 },
]

const pick = <T>(random: () => number, values: readonly [T, ...T[]] | readonly T[]): T =>
  values[Math.floor(random() * values.length)] as T

const link = (uri: string) => ({ uri, method: 'GET', headers: [] })
const cents = (value: number): number => Math.round(value * 100) / 100

/** Creation dates in every form of the samples: 7, 6, 3 and 2 fraction digits, `Z`, an offset, no zone. */
function dateText(random: () => number, at: Date): string {
  const iso = at.toISOString().slice(0, 19)
  const digits = String(Math.floor(random() * 1e7)).padStart(7, '0')
  return pick(random, [
    `${iso}.${digits}Z`,
    `${iso}.${digits.slice(0, 6)}Z`,
    `${iso}.${digits.slice(0, 3)}-08:00`,
    `${iso}.${digits.slice(0, 2)}+00:00`,
    `${iso}`,
    `${iso}Z`,
  ])
}

/** An order that depends only on its customer and number. */
export function sampleOrder(customerId: string, number: number): SimulatedOrder {
  const random = seededRandom(`${customerId}/${number}`)
  const modern = random() < 0.8
  const id = modern
    ? createHash('sha256').update(`${customerId}/${number}`).digest('base64url').slice(0, 33)
    : guidOf(`${customerId}/order/${number}`)
  const created = new Date(
    Date.UTC(2021, 0, 4) + Math.floor(random() * 2100) * 86_400_000 + Math.floor(random() * 86_400) * 1000,
  )
  const lines = 1 + Math.floor(random() * 3)
  const self = `/customers/${customerId}/orders/${id}`
  const lineItems = Array.from({ length: lines }, (_, lineItemNumber): SimulatedLine => {
    const { offer, name, price } = pick(random, modern ? newOffers : legacyOffers)
    const quantity = random() < 0.06 ? 0 : 1 + Math.floor(random() * 60)
    const subscription = guidOf(`${customerId}/${number}/${lineItemNumber}`)
    const [product, sku, availability] = offer.split(':')
    return {
      lineItemNumber,
      offerId: offer,
      subscriptionId: modern ? subscription : subscription.toUpperCase(),
      ...(modern
        ? {
            termDuration: pick(random, ['P1M', 'P1Y', 'P3Y']),
            transactionType: pick(random, ['New', 'addQuantity', 'renew']),
          }
        : {}),
      friendlyName: name,
      quantity,
      ...(random() < 0.3 ? { partnerIdOnRecord: '4847383' } : {}),
      ...(modern ? { renewsTo: { termDuration: 'P1Y' } } : {}),
      pricing: {
        listPrice: price,
        discountedPrice: cents(price * 0.9),
        proratedPrice: cents(price * 0.8),
        price: cents(price * 0.9),
        extendedPrice: cents(price * 0.9 * quantity),
      },
      links: modern
        ? {
            product: link(`/products/${product}?country=DK`),
            sku: link(`/products/${product}/skus/${sku}?country=DK`),
            availability: link(`/products/${product}/skus/${sku}/availabilities/${availability}?country=DK`),
          }
        : { subscription: link(`/customers/${customerId}/subscriptions/${subscription.toUpperCase()}`) },
    }
  })
  return {
    id,
    alternateId: modern ? createHash('sha256').update(id).digest('hex').slice(0, 12) : id,
    referenceCustomerId: customerId,
    billingCycle: modern ? pick(random, ['monthly', 'annual', 'one_time', 'triennial']) : 'monthly',
    currencyCode: 'DKK',
    ...(modern ? { currencySymbol: 'kr.' } : {}),
    lineItems,
    creationDate: dateText(random, created),
    status: random() < 0.08 ? pick(random, ['pending', 'cancelled']) : 'completed',
    transactionType: modern && random() < 0.2 ? 'SystemPurchase' : 'UserPurchase',
    totalPrice: cents(
      lineItems.reduce((sum, line) => sum + Number((line.pricing as { extendedPrice: number }).extendedPrice), 0),
    ),
    links: { self: link(self), provisioningStatus: link(`${self}/provisioningstatus`) },
    attributes: modern
      ? { objectType: 'Order' }
      : { etag: Buffer.from(`{"id":"${id}","version":1}`).toString('base64'), objectType: 'Order' },
  }
}

export type SampleOptions = {
  customers: number
  /** The orders of each customer. The default is between 0 and 40, the same at each start. */
  ordersEach?: number
}

/** The documented customer, then the given number of generated ones. */
export function sampleCustomers({ customers, ordersEach }: SampleOptions): SimulatedCustomer[] {
  const documented: SimulatedCustomer = {
    id: documentedCustomerId,
    companyName: 'Contoso Tailspin Toys',
    domain: 'contosotailspin.example',
    relationship: 'reseller',
    orders: documentedOrders as SimulatedOrder[],
  }
  const others = Array.from({ length: Math.max(0, customers - 1) }, (_, index): SimulatedCustomer => {
    const id = guidOf(`customer ${index}`)
    const random = seededRandom(id)
    const name = `${pick(random, places)} ${pick(random, trades)} ${pick(random, forms)}`
    const count = ordersEach ?? Math.floor(random() ** 2 * 41)
    let orders: SimulatedOrder[] | undefined
    return {
      id,
      companyName: name,
      domain: `${name
        .normalize('NFD')
        .replace(/[^a-z]/gi, '')
        .toLowerCase()}${index}.example`,
      relationship: 'reseller',
      get orders() {
        orders ??= Array.from({ length: count }, (_, number) => sampleOrder(id, number))
        return orders
      },
    }
  })
  return [documented, ...others]
}
