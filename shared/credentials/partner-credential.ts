import type { Call } from '../call.ts'
import { AppError, isCredentialFailure } from '../errors.ts'
import type { Settings } from '../settings.ts'
import type { AccessToken, Authority } from './authority.ts'
import type { Secrets } from './secrets.ts'

export type PartnerCredential = {
  /** Gets a new access token for Partner Center. */
  acquire: (call: Call) => Promise<AccessToken>
}

type Options = { settings: Settings; authority: Authority; secrets: () => Secrets }

/** The credential that `PARTNER_CENTER_CREDENTIAL` names. */
export function createPartnerCredential({ settings, authority, secrets }: Options): PartnerCredential {
  const scopes = [`${settings.audience}/.default`]
  switch (settings.credential) {
    case 'secret':
      return {
        acquire: call =>
          retryWithFreshSecrets(async fresh => {
            const secret = await secrets().read(settings.secretNames.clientSecret, call, { fresh })
            const result = await authority.exchange({ clientSecret: secret.value }, call, client =>
              client.acquireTokenByClientCredential({ scopes, skipCache: true }),
            )
            return { token: result.accessToken, expiresAt: result.expiresOn?.getTime() ?? 0 }
          }),
      }
    default:
      throw new AppError('app_misconfigured', `PARTNER_CENTER_CREDENTIAL ${settings.credential} is not available.`)
  }
}

/** A rejected credential may be a cached one that was rotated meanwhile: it is read from the vault once more. */
async function retryWithFreshSecrets<T>(acquire: (fresh: boolean) => Promise<T>): Promise<T> {
  try {
    return await acquire(false)
  } catch (error) {
    if (!isCredentialFailure(error)) throw error
    return acquire(true)
  }
}
