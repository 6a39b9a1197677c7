import type { RequestPolicy } from '@azure/core-http-compat'
import type { HttpClient, PipelineRequest, PipelineResponse, RequestBodyType } from '@azure/core-rest-pipeline'
import { Agent, type Dispatcher, interceptors } from 'undici'
import { currentDeadline } from './operation.ts'

/** Called with the status of each response, or with undefined if there was no response. */
type OnOutcome = (request: PipelineRequest, status: number | undefined) => void

/** The most sockets to one host. Further requests wait. */
const connections = 64

/** For work without a deadline, such as a developer's command. */
const defaultSilenceMs = 30_000

let agent: Dispatcher | undefined

/** One agent for storage, Key Vault and the identity endpoint. */
const sharedAgent = (): Dispatcher => {
  agent ??= new Agent({ connections, allowH2: false, connect: { timeout: 10_000 } }).compose(
    interceptors.decompress({ skipErrorResponses: false }),
  )
  return agent
}

/**
 * The HTTP client of the Azure SDKs: undici, as for Partner Center, so that the current deadline applies to their
 * requests, too. The SDKs' own client waits for a silent server without a limit. A request whose headers or body stay
 * silent for as long as the deadline allows fails like a lost connection, and the SDK retries it. When the deadline has
 * passed, the request is aborted.
 */
export async function createAzureHttpClient(onOutcome?: OnOutcome): Promise<HttpClient> {
  const { createHttpHeaders, RestError } = await import('@azure/core-rest-pipeline')

  const toRestError = (error: unknown, request: PipelineRequest): Error => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    // The SDKs decide by these codes whether to retry. They do not know the codes of undici.
    const known = code.startsWith('UND_ERR') ? (code.includes('TIMEOUT') ? 'ETIMEDOUT' : 'ECONNRESET') : code
    return new RestError(error instanceof Error ? error.message : 'The request failed', {
      code: known === '' ? RestError.REQUEST_SEND_ERROR : known,
      request,
    })
  }

  return {
    async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
      const url = new URL(request.url)
      if (url.protocol !== 'https:' && !request.allowInsecureConnection) {
        throw new Error(`${url.host} is not to be called without TLS`)
      }
      const deadline = currentDeadline()
      const signals = [deadline?.signal, request.abortSignal as AbortSignal | undefined].filter(
        each => each !== undefined,
      )
      const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0]
      const silenceMs = deadline?.silenceMs ?? defaultSilenceMs
      try {
        const { statusCode, headers, body } = await sharedAgent().request({
          method: request.method as Dispatcher.HttpMethod,
          origin: url.origin,
          path: url.pathname + url.search,
          headers: request.headers.toJSON({ preserveCase: true }),
          body: toUndiciBody(request.body),
          headersTimeout: silenceMs,
          bodyTimeout: silenceMs,
          ...(signal === undefined ? {} : { signal }),
        })
        const response: PipelineResponse = { request, status: statusCode, headers: createHttpHeaders(flatten(headers)) }
        const { streamResponseStatusCodes: streamed } = request
        if (request.method === 'HEAD') await body.dump()
        else if (streamed?.has(statusCode) || streamed?.has(Number.POSITIVE_INFINITY))
          response.readableStreamBody = body
        else response.bodyAsText = await body.text()
        onOutcome?.(request, statusCode)
        return response
      } catch (error) {
        if (signal?.aborted) throw new DOMException('The operation was aborted.', 'AbortError')
        onOutcome?.(request, undefined)
        throw toRestError(error, request)
      }
    },
  }
}

/**
 * The same client for the storage SDKs, which use the request and response types of the older core library. The
 * settings allow plain http only on loopback.
 */
export async function createStorageHttpClient(): Promise<RequestPolicy> {
  const [client, { createHttpHeaders, createPipelineRequest }, { toHttpHeadersLike }] = await Promise.all([
    createAzureHttpClient(),
    import('@azure/core-rest-pipeline'),
    import('@azure/core-http-compat'),
  ])
  return {
    async sendRequest(resource) {
      const { url, method, headers, body, abortSignal, streamResponseStatusCodes } = resource
      const response = await client.sendRequest(
        createPipelineRequest({
          url,
          method,
          headers: createHttpHeaders(headers.toJson({ preserveCase: true })),
          body,
          allowInsecureConnection: true,
          ...(abortSignal === undefined ? {} : { abortSignal }),
          ...(streamResponseStatusCodes === undefined ? {} : { streamResponseStatusCodes }),
        }),
      )
      return { ...response, request: resource, headers: toHttpHeadersLike(response.headers) }
    },
  }
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  )
}

type UndiciBody = Exclude<Dispatcher.DispatchOptions['body'], undefined>

function toUndiciBody(body: RequestBodyType | undefined): UndiciBody {
  const given = typeof body === 'function' ? body() : body
  if (given === undefined || given === null) return null
  if (given instanceof ArrayBuffer) return Buffer.from(given)
  if (ArrayBuffer.isView(given)) return Buffer.from(given.buffer, given.byteOffset, given.byteLength)
  return given as UndiciBody
}
