import { AppError } from '../errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { OperationContext } from '../runtime/operation.ts'
import type { Settings } from '../settings.ts'
import type { Authority } from './authority.ts'
import { refreshTokenLifeMs } from './renewal.ts'
import type { Secrets } from './secrets.ts'

export type SignIn = {
  /** The page on which the user signs in. */
  url: string
  /** Exchanges the code of the redirect for a refresh token and stores the token in Key Vault. */
  redeem: (code: string, operation: OperationContext) => Promise<void>
}

export type StartSignIn = (redirectUri: string, state: string, operation: OperationContext) => Promise<SignIn>

type Options = { authority: Authority; secrets: Secrets; settings: Settings; clock: Clock }

/**
 * The one interactive sign-in of the Secure Application Model: authorization code with PKCE
 * (learn.microsoft.com/partner-center/developer/enable-secure-app-model). The vault is read first, so that a missing
 * role is reported before the user signs in.
 */
export function createStartSignIn({ authority, secrets, settings, clock }: Options): StartSignIn {
  const scopes = [`${settings.audience}/user_impersonation`, 'offline_access']
  const { clientSecret, refreshToken: secretName } = settings.secretNames

  return async (redirectUri, state, operation) => {
    const { CryptoProvider } = await import('@azure/msal-node')
    const { verifier, challenge } = await new CryptoProvider().generatePkceCodes()
    const proof = { clientSecret: (await secrets.read(clientSecret, operation)).value }
    const { result } = await authority.exchange(proof, operation, client =>
      client.getAuthCodeUrl({
        scopes,
        redirectUri,
        state,
        codeChallenge: challenge,
        codeChallengeMethod: 'S256',
        responseMode: 'query',
        prompt: 'login',
      }),
    )
    const { pathname, search } = new URL(result)

    return {
      url: new URL(pathname + search, settings.authority).href,
      async redeem(code, operation) {
        const { refreshToken } = await authority.exchange(proof, operation, client =>
          client.acquireTokenByCode({ code, scopes, redirectUri, codeVerifier: verifier }),
        )
        if (refreshToken === undefined) {
          throw new AppError(
            'credential_rejected',
            'Entra ID returned no refresh token. Allow offline_access for the app.',
          )
        }
        const now = clock.now()
        const tags = { renewedAt: new Date(now).toISOString(), source: 'consent' }
        await secrets.write(secretName, { value: refreshToken, expiresAt: now + refreshTokenLifeMs, tags }, operation)
      },
    }
  }
}
