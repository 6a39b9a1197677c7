import { HttpRequest } from '@azure/functions'
import { readInput } from '../../shared/http/parameters/input.ts'
import { allOrderLines } from '../../shared/http/parameters/parameters.ts'
import {
  type AllOrderLinesInput,
  respondWithAllOrderLines,
} from '../../shared/http/responses/all-order-lines-response.ts'
import type { OrderLine } from '../../shared/orders/order-lines.ts'
import { createOperation } from './operations.ts'
import { createWorld, makeCustomers, storageCalls, type World } from './snapshot-world.ts'

export type LinesResponse = {
  status: number
  value: OrderLine[]
  text: string
  next: string | undefined
  headers: Record<string, string>
  calls: number
}

/** The response of the function on a new worker, and its number of storage calls. */
export async function ask(
  world: World,
  url: string,
  headers: Record<string, string> = {},
  seconds = 100,
): Promise<LinesResponse> {
  const { readRun } = await world.newWorker()
  const request = new HttpRequest({ method: 'GET', url: new URL(url, 'http://localhost').href, headers })
  let calls = 0
  world.store.before = operation => {
    if (storageCalls.has(operation)) calls++
  }
  try {
    const input: AllOrderLinesInput = await readInput(request, allOrderLines)
    const { clock } = world
    const answered = await respondWithAllOrderLines(input, {
      readRun,
      request,
      clock,
      operation: createOperation({ clock, seconds }),
    })
    const text = await new Response(answered.body as ReadableStream).text()
    const page =
      input.format === 'json' && text !== ''
        ? (JSON.parse(text) as { value: OrderLine[]; nextLink?: string })
        : undefined
    const answerHeaders = answered.headers as Record<string, string>
    const next = page?.nextLink ?? /^<(.*)>; rel="next"$/.exec(answerHeaders.link ?? '')?.[1]
    return { status: answered.status ?? 200, value: page?.value ?? [], text, next, headers: answerHeaders, calls }
  } finally {
    world.store.before = () => undefined
  }
}

export async function pages(world: World, path: string): Promise<LinesResponse[]> {
  const all: LinesResponse[] = []
  for (let next: string | undefined = path; next !== undefined; next = all.at(-1)?.next)
    all.push(await ask(world, next))
  return all
}

export async function worldOf(count: number, ordersEach = 2, settings: Record<string, string> = {}): Promise<World> {
  const world = await createWorld(settings)
  world.customers.push(...makeCustomers(count, ordersEach))
  return world
}

export const ids = (lines: readonly OrderLine[]) => lines.map(({ orderId, lineNumber }) => `${orderId}/${lineNumber}`)
