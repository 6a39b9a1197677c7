import { randomUUID } from 'node:crypto'
import { type Exchange, sendJson } from './recorder.ts'

export type IssuedToken = {
  audience: string
  expiresAt: number
  mfa: boolean
  kind: 'app' | 'user' | 'managed-identity'
}

/** Entra ID's token endpoint and the platform's managed-identity endpoint. Tests change its state directly. */
export type Entra = {
  tenantId: string
  clientId: string
  /** Client secrets that are accepted now. */
  clientSecrets: Set<string>
  /** Seconds an access token lives. */
  tokenSeconds: number
  tokens: Map<string, IssuedToken>
  /** Header value that the managed-identity endpoint demands. */
  identityHeader: string
  /** If set, the next answers of the token endpoint, in turn, instead of the usual ones. */
  failures: { status: number; body?: unknown; headers?: Record<string, string> }[]
  serve: (exchange: Exchange) => boolean
  issue: (token: IssuedToken) => string
  /** Ends every token of a kind at once. */
  revoke: (kind: IssuedToken['kind']) => void
}

export function entraError(error: string, code: number, text: string) {
  return {
    error,
    error_description: `AADSTS${code}: ${text} Trace ID: ${randomUUID()} Correlation ID: ${randomUUID()}`,
    error_codes: [code],
    timestamp: '2026-11-20 00:00:00Z',
    trace_id: randomUUID(),
    correlation_id: randomUUID(),
  }
}

export function createEntra(tenantId: string, clientId: string, clientSecret: string): Entra {
  const entra: Entra = {
    tenantId,
    clientId,
    clientSecrets: new Set([clientSecret]),
    tokenSeconds: 3599,
    tokens: new Map(),
    identityHeader: randomUUID(),
    failures: [],
    issue(token) {
      const value = `simulated-${randomUUID()}`
      entra.tokens.set(value, token)
      return value
    },
    revoke(kind) {
      for (const [value, token] of entra.tokens) if (token.kind === kind) entra.tokens.delete(value)
    },
    serve({ request, response }) {
      const [, tenant, version] = /^\/([\w.-]+)\/oauth2\/(?:(v2\.0)\/)?token$/.exec(request.path) ?? []
      if (tenant !== undefined && request.method === 'POST') {
        const failure = entra.failures.shift()
        if (failure !== undefined) return sendJson(response, failure.status, failure.body ?? {}, failure.headers)
        if (tenant !== entra.tenantId) {
          return sendJson(response, 400, entraError('invalid_request', 90002, `Tenant '${tenant}' not found.`))
        }
        return token(new URLSearchParams(request.body), version === 'v2.0')
      }
      if (request.path === '/msi/token') {
        if (request.headers['x-identity-header'] !== entra.identityHeader)
          return sendJson(response, 401, { error: 'unauthorized' })
        const audience = request.query.get('resource') ?? ''
        const expiresAt = Date.now() + entra.tokenSeconds * 1000
        return sendJson(response, 200, {
          access_token: entra.issue({ audience, expiresAt, mfa: false, kind: 'managed-identity' }),
          expires_on: String(Math.floor(expiresAt / 1000)),
          resource: audience,
          token_type: 'Bearer',
          client_id: request.query.get('client_id') ?? randomUUID(),
        })
      }
      return false

      function token(form: URLSearchParams, isV2: boolean): true {
        if (form.get('client_id') !== entra.clientId) {
          return sendJson(
            response,
            400,
            entraError('unauthorized_client', 700016, 'Application was not found in the directory.'),
          )
        }
        if (!entra.clientSecrets.has(form.get('client_secret') ?? '')) {
          return sendJson(response, 401, entraError('invalid_client', 7000215, 'Invalid client secret provided.'))
        }
        const scope = form
          .get('scope')
          ?.split(' ')
          .find(scope => scope.includes('://'))
        const audience = isV2 ? (scope ?? '').replace(/\/[^/]+$/, '') : (form.get('resource') ?? '')
        const access_token = entra.issue({
          audience,
          expiresAt: Date.now() + entra.tokenSeconds * 1000,
          mfa: false,
          kind: 'app',
        })
        return isV2
          ? sendJson(response, 200, {
              token_type: 'Bearer',
              expires_in: entra.tokenSeconds,
              ext_expires_in: entra.tokenSeconds,
              access_token,
            })
          : sendJson(response, 200, {
              token_type: 'Bearer',
              expires_in: String(entra.tokenSeconds),
              resource: audience,
              access_token,
            })
      }
    },
  }
  return entra
}
