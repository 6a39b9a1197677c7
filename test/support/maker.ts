/** A request as a flow's engine sends it: with added headers, without those that it strips, and with its retries. */
export type MakerOptions = {
  url: string
  method?: string
  body?: unknown
  key?: string
  headers?: Record<string, string>
  /** The milliseconds for one second of `Retry-After`, so that tests need not wait. */
  secondMs?: number
}

export type MakerResult = {
  status: number
  /** The body of a JSON response. */
  body: Record<string, unknown>
  /** The body of an HTML response. */
  text?: string
  headers: Headers
  tries: number
}

/** Headers that the HTTP action of Logic Apps removes (learn.microsoft.com/azure/connectors/connectors-native-http). */
const stripped =
  /^(accept|accept-.*|allow|cookie|expires|host|last-modified|origin|set-cookie|transfer-encoding|content-(?!type|length).*)$/i

const isRetried = (status: number): boolean => status === 408 || status === 429 || status >= 500

/** The retries after the first try in the default policy of Logic Apps. */
const retries = 4

const sleep = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

async function send({
  url,
  method = 'GET',
  body,
  key,
  headers = {},
  secondMs = 1000,
}: MakerOptions): Promise<MakerResult> {
  const sent = new Headers(Object.entries(headers).filter(([name]) => !stripped.test(name)))
  sent.set('x-ms-workflow-run-id', '08584000000000000000000000000CU00')
  sent.set('x-ms-client-tracking-id', '08584000000000000000000000000CU01')
  sent.set('user-agent', 'azure-logic-apps/1.0 (workflow 00000000000000000000000000000000)')
  if (key !== undefined) sent.set('x-functions-key', key)
  if (body !== undefined) sent.set('content-type', 'application/json; charset=utf-8')
  for (let tries = 1; ; tries++) {
    const response = await fetch(url, {
      method,
      headers: sent,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!isRetried(response.status) || tries > retries) {
      const { status, headers } = response
      if (headers.get('content-type')?.startsWith('text/')) return { status, body: {}, text, headers, tries }
      // If a body with a JSON content type is not JSON, the action fails without output.
      const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
      return { status, body, headers, tries }
    }
    await sleep(Number(response.headers.get('retry-after') ?? 1) * secondMs)
  }
}

/** Runs an action: retries, and follows 202 with `Location` until the end. It fails for a status of 400 or more. */
export async function runAction(options: MakerOptions): Promise<MakerResult> {
  let result = await send(options)
  while (result.status === 202) {
    const location = result.headers.get('location')
    if (location === null || !/^https?:\/\//.test(location)) throw new Error('202 without an absolute Location')
    await sleep(Number(result.headers.get('retry-after') ?? 1) * (options.secondMs ?? 1000))
    const { body: _, ...again } = options
    result = await send({ ...again, url: location, method: 'GET' })
  }
  return result
}

/** The pages of an action with pagination, merged by the engine. */
export async function runPaged(options: MakerOptions, most = 100_000): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for (let url: string | undefined = options.url; url !== undefined && rows.length < most; ) {
    const { status, body } = await runAction({ ...options, url })
    if (status >= 400) throw new Error(`The page failed with ${status}`)
    rows.push(...(body.value as Record<string, unknown>[]))
    url = body.nextLink as string | undefined
  }
  return rows
}

/** A polling trigger: keeps the cursor of the last response with items, and starts one run per item. */
export function createTrigger(options: MakerOptions) {
  let cursor: string | undefined
  return async (): Promise<Record<string, unknown>[]> => {
    const url = new URL(options.url)
    if (cursor !== undefined) url.searchParams.set('cursor', cursor)
    const { status, body } = await runAction({ ...options, url: url.href })
    if (status >= 400) throw new Error(`The trigger failed with ${status}`)
    const items = body.value as Record<string, unknown>[]
    if (items.length > 0 || cursor === undefined) cursor = String(body.cursor)
    return items
  }
}
