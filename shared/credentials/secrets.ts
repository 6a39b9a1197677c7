import type { TokenCredential } from '@azure/identity'
import type { KeyVaultSecret, SecretClient } from '@azure/keyvault-secrets'
import { AppError, isAppError } from '../errors.ts'
import { dayOf } from '../formats/days.ts'
import { createAzureHttpClient } from '../runtime/azure-http.ts'
import type { Clock } from '../runtime/clock.ts'
import { describeError } from '../runtime/log.ts'
import type { OperationContext } from '../runtime/operation.ts'
import type { ShareCall } from '../runtime/shared-calls.ts'
import { isIdentityOutage } from './azure-credential.ts'

export type Secret = {
  name: string
  value: string
  /** Milliseconds since 1970 UTC. Undefined if the secret has no expiry date. */
  expiresAt?: number
  createdAt?: number
  /** `application/x-pkcs12` or `application/x-pem-file` for the secret behind a certificate. */
  contentType?: string
  tags: Readonly<Record<string, string>>
}

export type Secrets = {
  /** Reads a secret from a cache of five minutes. `fresh` bypasses the cache. */
  read: (name: string, operation: OperationContext, options?: { fresh?: boolean }) => Promise<Secret>
  /** Stores a new version of a secret. */
  write: (name: string, version: NewVersion, operation: OperationContext) => Promise<void>
}

type NewVersion = { value: string; expiresAt: number; tags: Record<string, string> }

type Options = {
  vaultUri: string
  credential: () => Promise<TokenCredential>
  clock: Clock
  share: ShareCall
}

const cacheMs = 5 * 60 * 1000
/**
 * During an outage, the vault is called again after this time. Until then, requests use the cache and do not wait for
 * retries.
 */
const outageCacheMs = 30 * 1000

/** DNS suffixes of Key Vault in the four clouds (learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates). */
const azureVaults = /\.(vault|managedhsm)\.(azure\.net|azure\.cn|usgovcloudapi\.net|microsoftazure\.de)$/

export const isAzureVault = (vaultUri: string): boolean => azureVaults.test(new URL(vaultUri).hostname)

async function createSecretClient(vaultUri: string, credential: () => Promise<TokenCredential>): Promise<SecretClient> {
  const [{ SecretClient }, httpClient] = await Promise.all([import('@azure/keyvault-secrets'), createAzureHttpClient()])
  // The first request asks the vault for its tenant. The identity SDK is loaded while that request is in flight.
  const identity: TokenCredential = {
    getToken: async (scopes, options) => (await credential()).getToken(scopes, options),
  }
  return new SecretClient(vaultUri, identity, {
    httpClient,
    // The SDK only trusts a challenge for Azure's own vault domains. A simulator has another domain.
    disableChallengeResourceVerification: !isAzureVault(vaultUri),
    retryOptions: { maxRetries: 3, retryDelayInMs: 300, maxRetryDelayInMs: 5_000 },
  })
}

export function createSecrets({ vaultUri, credential, clock, share }: Options): Secrets {
  const cache = new Map<string, { secret: Secret; readAt: number }>()
  let client: Promise<SecretClient> | undefined

  async function useVault<T>(
    name: string,
    operation: OperationContext,
    use: (client: SecretClient) => Promise<T>,
  ): Promise<T> {
    client ??= createSecretClient(vaultUri, credential).catch(error => {
      client = undefined
      throw error
    })
    try {
      return await use(await client)
    } catch (error) {
      if (operation.deadline.signal.aborted) throw operation.deadline.signal.reason
      throw toVaultError(error, name)
    }
  }

  const fetchSecret = (name: string, operation: OperationContext): Promise<Secret> =>
    useVault(name, operation, async client => {
      const stored = await client.getSecret(name, { abortSignal: operation.deadline.signal })
      const secret = toSecret(stored, clock.now())
      cache.set(name, { secret, readAt: clock.now() })
      return secret
    })

  return {
    async read(name, operation, { fresh = false } = {}) {
      const cached = cache.get(name)
      if (!fresh && cached !== undefined && clock.now() - cached.readAt < cacheMs) return cached.secret
      try {
        return await share(`secret ${name}`, operation, operation => fetchSecret(name, operation))
      } catch (error) {
        // During an outage of the vault, the cached secret is probably still valid.
        if (fresh || cached === undefined || !isAppError(error) || error.code !== 'key_vault_unavailable') throw error
        operation.log('warn', 'key_vault_outage', { secret: name, why: describeError(error) })
        cached.readAt = clock.now() - cacheMs + outageCacheMs
        return cached.secret
      }
    },

    write: (name, { value, expiresAt, tags }, operation) =>
      useVault(name, operation, async client => {
        await client.setSecret(name, value, {
          expiresOn: new Date(expiresAt),
          tags,
          abortSignal: operation.deadline.signal,
        })
        cache.delete(name)
      }),
  }
}

function toSecret({ name, value, properties }: KeyVaultSecret, now: number): Secret {
  if (value === undefined || value.trim() === '') {
    throw new AppError('key_vault_refused', `The Key Vault secret '${name}' is empty. Store its value in the vault.`)
  }
  if (properties.expiresOn !== undefined && properties.expiresOn.getTime() <= now) {
    const day = dayOf(properties.expiresOn.getTime())
    throw new AppError(
      'credential_rejected',
      `The Key Vault secret '${name}' expired on ${day}. Store a new version with its own expiry date.`,
    )
  }
  return {
    name,
    value: value.trim(),
    ...(properties.expiresOn === undefined ? {} : { expiresAt: properties.expiresOn.getTime() }),
    ...(properties.createdOn === undefined ? {} : { createdAt: properties.createdOn.getTime() }),
    ...(properties.contentType === undefined ? {} : { contentType: properties.contentType }),
    tags: properties.tags ?? {},
  }
}

/** What a failed call to the vault means to an operator. */
export function toVaultError(error: unknown, name: string): AppError {
  if (isAppError(error)) return error
  const status = statusOf(error)
  const refused = (message: string) => new AppError('key_vault_refused', message, { cause: error })
  if (status === 404) {
    return refused(`Key Vault has no secret '${name}'. Store it, or fix the setting that names it.`)
  }
  if (status === 403 && isDisabled(error)) {
    return refused(`The Key Vault secret '${name}' is disabled. Enable it, or store a new version.`)
  }
  if (status === 403) {
    return refused(
      `Key Vault denies access to the secret '${name}'. Assign the role Key Vault Secrets User on it to the app's identity, and check the vault's firewall.`,
    )
  }
  if (status === 401) {
    return refused(
      `Key Vault does not accept the app's identity for the secret '${name}'. Check that KEY_VAULT_URI names a vault of the identity's own tenant.`,
    )
  }
  if (isSignInFailure(error) && !isIdentityOutage(error)) {
    return refused(
      `No Azure identity could sign in to read the Key Vault secret '${name}'. In Azure, assign a managed identity to the app, and set AZURE_CLIENT_ID if it is user-assigned. Elsewhere, run 'az login'.`,
    )
  }
  if (status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429) {
    return refused(`Key Vault returned ${status} for the secret '${name}'. Check the setting that names it.`)
  }
  return new AppError('key_vault_unavailable', 'Key Vault cannot be reached. Try again in 30 seconds.', {
    retryAfterSeconds: 30,
    cause: error,
  })
}

const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined

/** The service states this in its inner error code, `SecretDisabled`, and in its text. */
const isDisabled = (error: unknown): boolean =>
  /disabled/i.test(describeError(error)) ||
  (error instanceof Error && 'details' in error && /SecretDisabled/.test(JSON.stringify(error.details) ?? ''))

const signInFailures = [
  'CredentialUnavailableError',
  'AuthenticationError',
  'AggregateAuthenticationError',
  'AuthenticationRequiredError',
]

const isSignInFailure = (error: unknown): boolean => error instanceof Error && signInFailures.includes(error.name)
