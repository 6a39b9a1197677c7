import { z } from 'zod'
import { blockId, newAttempt } from './block-ids.ts'
import { planBlob, type RunPlace, snapshotIdPattern } from './layout.ts'
import {
  type OtherCustomer,
  otherCustomerSchema,
  type PlanHead,
  type PlannedCustomer,
  type PlannedPart,
  planHeadSchema,
  plannedCustomerSchema,
} from './shapes.ts'
import { corrupt } from './storage-errors.ts'
import type { Store } from './store.ts'

/**
 * `_plan.json` starts with the head (`PlanHead`), so that one range read returns it. The customers follow, part by
 * part, and then the customers known from other runs. Each `offset` counts from the end of the head.
 */
export type Plan = PlanHead & {
  /** The number of bytes before the customers. */
  start: number
  /** The bytes after the head that the first read returned. For a small plan these are all customers. */
  behind?: Buffer
}

/** The number of customers in a plan. 0 without a plan. */
export const plannedIn = (plan: Pick<Plan, 'parts'> | undefined): number =>
  plan?.parts.reduce((sum, { customers }) => sum + customers, 0) ?? 0

const blockBytes = 1024 * 1024

/** Enough for the head of a plan with about 500 parts. */
const firstReadBytes = 64 * 1024

const customersStart = '"customers":['
const othersStart = '],"others":['

const idLength = 36

/** A customer as one text, id first. A hundred thousand of them take a few megabytes. */
export const packCustomer = (id: string, name: string): string => id + name
export const idOf = (packed: string): string => packed.slice(0, idLength)
export const nameOf = (packed: string): string => packed.slice(idLength)

export const isUnlisted = ([, , ...marks]: PlannedCustomer): boolean => marks.includes('unlisted')

/** The smaller run that read the customer after the baseline run. */
export const newerRun = ([, , ...marks]: PlannedCustomer): string | undefined =>
  marks.find(mark => snapshotIdPattern.test(mark))

const reportedPrefix = 'told:'

/** The newest following run that reported the customer's changes after the baseline run. */
export const reportingRun = ([, , ...marks]: PlannedCustomer): string | undefined =>
  marks.find(mark => mark.startsWith(reportedPrefix))?.slice(reportedPrefix.length)

/** The smaller runs that read customers after the baseline run. */
export type NewerRuns = {
  /** The newest such run, by customer. */
  newest: ReadonlyMap<string, string>
  /** The newest such run that reported changes, by customer. */
  reported: ReadonlyMap<string, string>
}

/** A planned customer with its marks. */
export function planned(id: string, name: string, isListed: boolean, { newest, reported }: NewerRuns): PlannedCustomer {
  const [readIn, toldIn] = [newest.get(id), reported.get(id)]
  return [
    id,
    name,
    ...(isListed ? [] : ['unlisted' as const]),
    ...(readIn === undefined ? [] : [readIn]),
    ...(toldIn === undefined ? [] : [reportedPrefix + toldIn]),
  ]
}

type PlanContent = {
  head: Omit<PlanHead, 'parts' | 'others'>
  /** Packed, sorted by id. */
  customers: readonly string[]
  /** Ids of customers that only an earlier run knows. */
  unlisted: ReadonlySet<string>
  newer: NewerRuns
  others: readonly OtherCustomer[]
  customersPerPart: number
}

/** Writes the plan of a run. Returns false if another plan was first. */
export async function writePlan(
  store: Store,
  run: RunPlace,
  { head, customers, unlisted, newer, others, customersPerPart }: PlanContent,
): Promise<boolean> {
  const partJson = (from: number): { json: string; count: number } => {
    const members = customers.slice(from, from + customersPerPart).map((packed): PlannedCustomer => {
      const id = idOf(packed)
      return planned(id, nameOf(packed), !unlisted.has(id), newer)
    })
    return { json: JSON.stringify(members), count: members.length }
  }

  const parts: PlannedPart[] = []
  let offset = 0
  for (let from = 0; from < customers.length; from += customersPerPart) {
    const { json, count } = partJson(from)
    const length = Buffer.byteLength(json)
    parts.push({ firstId: idOf(customers[from] ?? ''), customers: count, offset, length })
    offset += length + 2
  }
  const othersOffset = (parts.length === 0 ? offset : offset - 2) + othersStart.length - 1
  const othersJson = JSON.stringify(others)
  const complete: PlanHead = { ...head, parts, others: { offset: othersOffset, length: Buffer.byteLength(othersJson) } }

  const blob = planBlob(run)
  const attempt = newAttempt()
  const blocks: string[] = []
  let text = `${JSON.stringify(complete).slice(0, -1)},${customersStart}`
  const start = Buffer.byteLength(text)
  const flush = async () => {
    const id = blockId(attempt, blocks.length)
    await store.stage(blob, id, Buffer.from(text))
    blocks.push(id)
    text = ''
  }
  for (let from = 0; from < customers.length; from += customersPerPart) {
    text += (from === 0 ? '' : ',\n') + partJson(from).json
    if (text.length > blockBytes) await flush()
  }
  text += `${othersStart.slice(0, -1)}${othersJson}}`
  await flush()
  const metadata = { start: String(start), planned: String(customers.length), parts: String(parts.length) }
  return store.commit(blob, blocks, { metadata })
}

function parse<T>(schema: z.ZodType<T>, text: string, blob: string): T {
  try {
    return schema.parse(JSON.parse(text))
  } catch (cause) {
    throw corrupt(blob, cause)
  }
}

/** The head of a run's plan. Undefined if there is no plan. */
export async function readPlan(store: Store, run: RunPlace): Promise<Plan | undefined> {
  const blob = planBlob(run)
  const first = await store.read(blob, { offset: 0, length: firstReadBytes })
  if (first === undefined) return undefined
  const { start, tailoffset } = first.info.metadata
  if (start === undefined && tailoffset !== undefined) return readEarlierPlan(store, blob, Number(tailoffset))
  const length = Number(start)
  if (!Number.isSafeInteger(length) || length < customersStart.length) throw corrupt(blob)
  let body = first.body.subarray(0, length)
  if (length > firstReadBytes) {
    const rest = await store.read(blob, { offset: first.body.length, length: length - first.body.length })
    body = Buffer.concat([first.body, rest?.body ?? Buffer.alloc(0)])
  }
  if (body.length !== length) throw corrupt(blob)
  const head = parse(planHeadSchema, `${body.toString('utf8').slice(0, -customersStart.length - 1)}}`, blob)
  return { ...head, start: length, behind: Buffer.from(first.body.subarray(length)) }
}

/** Plans of earlier versions have their head at the end, and offsets from the start of the blob. */
async function readEarlierPlan(store: Store, blob: string, offset: number): Promise<Plan> {
  if (!Number.isSafeInteger(offset)) throw corrupt(blob)
  const tail = await store.read(blob, { offset, length: 1024 ** 3 })
  return { ...parse(planHeadSchema, `{${tail?.body.toString('utf8') ?? ''}`, blob), start: 0 }
}

type Range = { offset: number; length: number }

/** The bytes of a range, if they were read together with the head. */
function bytesBehind({ behind }: Plan, { offset, length }: Range): Buffer | undefined {
  const bytes = behind?.subarray(offset, offset + length)
  return bytes?.length === length ? bytes : undefined
}

async function readRange<T>(store: Store, plan: Plan, range: Range, schema: z.ZodType<T>): Promise<T> {
  const blob = planBlob(plan)
  const known = bytesBehind(plan, range)
  if (known !== undefined) return parse(schema, known.toString('utf8'), blob)
  const stored = await store.read(blob, { offset: plan.start + range.offset, length: range.length })
  return parse(schema, stored?.body.toString('utf8') ?? '', blob)
}

/** The customers of one part. */
export function readPlanned(store: Store, plan: Plan, part: number): Promise<PlannedCustomer[]> {
  const place = plan.parts[part]
  if (place === undefined) throw corrupt(planBlob(plan))
  return readRange(store, plan, place, z.array(plannedCustomerSchema))
}

/** False if the bytes that were read with the head show that the part does not plan the customer. */
export function mayPlan(plan: Plan, part: number, customerTenantId: string): boolean {
  const place = plan.parts[part]
  return place !== undefined && bytesBehind(plan, place)?.includes(customerTenantId) !== false
}

/** The number of parts whose customers are read at once. */
const partsAtOnce = 64

/** All customers of a plan, some parts at a time. */
export async function* readAllPlanned(store: Store, plan: Plan): AsyncGenerator<PlannedCustomer[]> {
  for (let from = 0; from < plan.parts.length; from += partsAtOnce) {
    const [first, last] = [plan.parts[from], plan.parts.slice(from, from + partsAtOnce).at(-1)]
    if (first === undefined || last === undefined) return
    const blob = planBlob(plan)
    const length = last.offset + last.length - first.offset
    const stored = await store.read(blob, { offset: plan.start + first.offset, length })
    if (stored?.body.length !== length) throw corrupt(blob)
    const parts = parse(z.array(z.array(plannedCustomerSchema)), `[${stored.body.toString('utf8')}]`, blob)
    yield parts.flat()
  }
}

/** The customers that a run knows but did not plan. */
export const readOthers = async (store: Store, plan: Plan): Promise<OtherCustomer[]> =>
  plan.others === undefined || plan.others.length <= 2
    ? []
    : readRange(store, plan, plan.others, z.array(otherCustomerSchema))
