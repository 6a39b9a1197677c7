import type {
  ConfidentialClientApplication,
  Configuration,
  INetworkModule,
  NetworkRequestOptions,
} from '@azure/msal-node'
import { z } from 'zod'
import { isAppError } from '../errors.ts'
import { parseBounded } from '../partner-center/json-bytes.ts'
import { isRetriedStatus, parseRetryAfter, type Try, withRetries } from '../partner-center/retry.ts'
import { type Transport, TransportError, type TransportResponse } from '../partner-center/transport.ts'
import type { Clock } from '../runtime/clock.ts'
import type { OperationContext } from '../runtime/operation.ts'
import { authorityUnavailable, toCredentialError } from './entra-errors.ts'

/** How the app proves who it is: part of MSAL's configuration. */
export type ClientProof = Pick<Configuration['auth'], 'clientSecret' | 'clientCertificate' | 'clientAssertion'>

export type AccessToken = {
  token: string
  /** Milliseconds since 1970 UTC. */
  expiresAt: number
}

export type Exchange<T> = {
  result: T
  /** Lifetime of the access token in seconds, as the endpoint stated it. */
  expiresInSeconds: number
  /** The refresh token of the response, if it has one. MSAL does not return it. */
  refreshToken: string | undefined
}

export type Authority = {
  /** Runs one exchange with the token endpoint. Rejects with an `AppError`. */
  exchange: <T>(
    proof: ClientProof,
    operation: OperationContext,
    ask: (client: ConfidentialClientApplication) => Promise<T | null>,
  ) => Promise<Exchange<T>>
}

type Options = {
  /** Host that issues tokens, such as `https://login.microsoftonline.com`. */
  authority: string
  tenantId: string
  clientId: string
  transport: Transport
  clock: Clock
}

const tokenResponseSchema = z.looseObject({
  error: z.string().optional(),
  error_codes: z.array(z.union([z.string(), z.number()])).optional(),
  refresh_token: z.string().optional(),
  /** Text in responses of v1, a number in v2. */
  expires_in: z.coerce.number().optional(),
})

/** The parts of a token response or failure that MSAL does not pass on to its caller. */
type Outcome = { failure?: unknown; refreshToken?: string | undefined; expiresInSeconds?: number | undefined }

/** The network module of one exchange. MSAL calls `client`, and `outcome` then has the parts that MSAL drops. */
type RecordingNetwork = { client: INetworkModule; outcome: () => Outcome }

/**
 * Calls Entra ID's token endpoint through MSAL, over our transport and with our retries. The endpoints of a tenant are
 * fixed (learn.microsoft.com/entra/identity-platform/v2-protocols). MSAL gets them as metadata and does not discover them
 * over the network. That saves two calls, never leaves a sovereign cloud, and works with a simulator. Each exchange
 * creates a client of its own, because MSAL's cache and throttling state would outlast a rotated secret.
 */
export function createAuthority({ authority, tenantId, clientId, transport, clock }: Options): Authority {
  const host = new URL(authority).host
  const tenant = `https://${host}/${tenantId}`
  const metadata = {
    issuer: `${tenant}/v2.0`,
    authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
    token_endpoint: `${tenant}/oauth2/v2.0/token`,
    jwks_uri: `${tenant}/discovery/v2.0/keys`,
  }

  return {
    async exchange(proof, operation, ask) {
      const { ConfidentialClientApplication } = await import('@azure/msal-node')
      const network = createNetwork(operation)
      const client = new ConfidentialClientApplication({
        auth: {
          clientId,
          authority: tenant,
          knownAuthorities: [host],
          authorityMetadata: JSON.stringify(metadata),
          ...proof,
        },
        system: { networkClient: network.client, disableInternalRetries: true },
      })
      try {
        const result = await ask(client)
        if (result === null) throw authorityUnavailable(undefined)
        const { refreshToken, expiresInSeconds = 0 } = network.outcome()
        return { result, refreshToken, expiresInSeconds }
      } catch (error) {
        // MSAL wraps the errors of its network module. The original has more detail.
        const { failure } = network.outcome()
        if (failure !== undefined) throw failure
        throw isAppError(error) ? error : toCredentialError([], 'unusable_response', error)
      }
    },
  }

  function createNetwork(operation: OperationContext): RecordingNetwork {
    let outcome: Outcome = {}
    const send = async <T>(method: 'GET' | 'POST', address: string, options?: NetworkRequestOptions) => {
      try {
        const { status, headers, body } = await sendWithRetries(method, address, options, operation)
        const { data } = tokenResponseSchema.safeParse(body)
        if (status >= 400) {
          throw toCredentialError(data?.error_codes ?? [], data?.error ?? `http_${status}`)
        }
        outcome = { refreshToken: data?.refresh_token, expiresInSeconds: data?.expires_in }
        return { status, headers: definedOnly(headers), body: body as T }
      } catch (error) {
        outcome = { failure: error }
        throw error
      }
    }
    const client: INetworkModule = {
      sendGetRequestAsync: (address, options) => send('GET', address, options),
      sendPostRequestAsync: (address, options) => send('POST', address, options),
    }
    return { client, outcome: () => outcome }
  }

  function sendWithRetries(
    method: 'GET' | 'POST',
    address: string,
    options: NetworkRequestOptions | undefined,
    operation: OperationContext,
  ) {
    const { pathname, search } = new URL(address)
    // MSAL requires https. A simulator on loopback may use http.
    const url = new URL(pathname + search, authority)
    const request = {
      method,
      url,
      headers: { accept: 'application/json', ...options?.headers },
      ...(options?.body === undefined ? {} : { body: options.body }),
      deadline: operation.deadline,
    }
    return withRetries(
      async (): Promise<Try<TokenResponse>> => {
        try {
          const { status, headers, body } = await transport(request)
          const json = parseBody(body)
          if (isMeant(status, json)) return { value: { status, headers, body: json } }
          const retryAfterMs = parseRetryAfter(headers['retry-after'], clock.now())
          return { failure: authorityUnavailable(retryAfterMs), retryAfterMs }
        } catch (error) {
          if (error instanceof TransportError) return { failure: authorityUnavailable(undefined, error) }
          throw error
        }
      },
      'token endpoint',
      operation,
      clock,
    )
  }
}

type TokenResponse = { status: number; headers: TransportResponse['headers']; body: unknown }

/**
 * True for a token or a refusal: the responses of a token endpoint that works. A redirect, a 200 without a token, the
 * page of a proxy and a fault of the service do not say whether the credential is valid.
 */
const isMeant = (status: number, body: unknown): boolean =>
  status === 200
    ? typeof body === 'object' && body !== null && 'access_token' in body && Boolean(body.access_token)
    : status >= 400 && status < 500 && !isRetriedStatus(status)

/** Undefined if the body is not JSON. */
function parseBody(body: Buffer): unknown {
  try {
    return parseBounded(body)
  } catch {
    return undefined
  }
}

const definedOnly = (headers: TransportResponse['headers']): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined))
