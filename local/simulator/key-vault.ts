import { randomUUID } from 'node:crypto'
import type { Entra } from './entra.ts'
import { type Exchange, sendJson } from './recorder.ts'

type StoredSecret = {
  version: string
  value: string
  enabled: boolean
  /** Seconds since 1970 UTC. */
  created: number
  expires?: number
  contentType?: string
  tags?: Record<string, string>
}

type VaultFailure = { status: number; code: string; innerCode?: string; method?: 'GET' | 'PUT' }

/** The secrets of Key Vault, with the authentication challenge of the real service. Tests change its state directly. */
export type KeyVault = {
  /** The versions by secret name, the newest last. */
  secrets: Map<string, StoredSecret[]>
  /**
   * If set, the next responses, in turn, instead of the usual ones. An entry with a method applies only to requests
   * with it.
   */
  failures: VaultFailure[]
  store: (name: string, value: string, more?: Partial<StoredSecret>) => StoredSecret
  serve: (exchange: Exchange) => boolean
}

const resource = 'https://vault.azure.net'

export function createKeyVault(entra: Entra, origin: () => string, now: () => number): KeyVault {
  const vault: KeyVault = {
    secrets: new Map(),
    failures: [],
    store(name, value, more = {}) {
      const secret: StoredSecret = {
        version: randomUUID().replaceAll('-', ''),
        value,
        enabled: true,
        created: Math.floor(now() / 1000),
        ...more,
      }
      vault.secrets.set(name, [...(vault.secrets.get(name) ?? []), secret])
      return secret
    },
    serve({ request, response }) {
      const [, name, version] = /^\/secrets\/([\w-]+)(?:\/(\w*))?$/.exec(request.path) ?? []
      if (name === undefined) return false
      const fail = (status: number, code: string, innerCode?: string) =>
        sendJson(response, status, {
          error: {
            code,
            message: `${code} for ${name}`,
            ...(innerCode === undefined ? {} : { innererror: { code: innerCode } }),
          },
        })
      const bearer = entra.tokens.get(request.headers.authorization?.replace(/^Bearer /, '') ?? '')
      if (bearer === undefined || bearer.audience.replace(/\/$/, '') !== resource) {
        response.setHeader(
          'www-authenticate',
          `Bearer authorization="${origin()}/${entra.tenantId}", resource="${resource}"`,
        )
        return fail(401, 'Unauthorized')
      }
      const index = vault.failures.findIndex(({ method = request.method }) => method === request.method)
      const [failure] = index < 0 ? [] : vault.failures.splice(index, 1)
      if (failure !== undefined) {
        if (failure.status >= 500) response.setHeader('retry-after', '0')
        return fail(failure.status, failure.code, failure.innerCode)
      }

      if (request.method === 'PUT') {
        const body = JSON.parse(request.body) as {
          value: string
          tags?: Record<string, string>
          contentType?: string
          attributes?: { exp?: number }
        }
        const { value, tags, contentType, attributes } = body
        const stored = vault.store(name, value, {
          ...(tags === undefined ? {} : { tags }),
          ...(contentType === undefined ? {} : { contentType }),
          ...(attributes?.exp === undefined ? {} : { expires: attributes.exp }),
        })
        return sendJson(response, 200, toBundle(name, stored))
      }
      const versions = vault.secrets.get(name) ?? []
      const secret = version ? versions.find(each => each.version === version) : versions.at(-1)
      if (secret === undefined) return fail(404, 'SecretNotFound')
      if (!secret.enabled) return fail(403, 'Forbidden', 'SecretDisabled')
      return sendJson(response, 200, toBundle(name, secret))
    },
  }

  const toBundle = (name: string, { version, value, enabled, created, expires, contentType, tags }: StoredSecret) => ({
    value,
    id: `${origin()}/secrets/${name}/${version}`,
    attributes: {
      enabled,
      created,
      updated: created,
      recoveryLevel: 'Recoverable',
      ...(expires === undefined ? {} : { exp: expires }),
    },
    ...(contentType === undefined ? {} : { contentType }),
    ...(tags === undefined ? {} : { tags }),
  })
  return vault
}
