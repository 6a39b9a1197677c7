import { AppError, type ErrorCode } from '../errors.ts'

type Meaning = { as: ErrorCode; what: string; fix: string }

const newConsent = 'Run `npm run consent` and sign in with MFA'

/**
 * What the error codes of Entra ID's token endpoint mean to an operator
 * (learn.microsoft.com/entra/identity-platform/reference-error-codes). None of them clears without intervention.
 */
const meanings: Readonly<Record<string, Meaning>> = {
  50076: { as: 'mfa_required', what: 'Entra ID requires multi-factor authentication', fix: `${newConsent}.` },
  50078: {
    as: 'mfa_required',
    what: 'The multi-factor authentication of the stored sign-in has expired',
    fix: `${newConsent}. Exclude the service account from the sign-in frequency policy of the tenant.`,
  },
  50079: {
    as: 'mfa_required',
    what: 'The user has not registered for MFA',
    fix: `Register the user for MFA. Then run \`npm run consent\`.`,
  },
  50173: {
    as: 'credential_rejected',
    what: 'The refresh token was revoked, for example by a password reset',
    fix: `${newConsent}.`,
  },
  65001: {
    as: 'credential_rejected',
    what: 'The app has no consent for the Partner Center API',
    fix: 'Grant user_impersonation in Entra ID, then run `npm run consent`.',
  },
  70000: { as: 'credential_rejected', what: 'The refresh token is malformed or revoked', fix: `${newConsent}.` },
  70008: { as: 'credential_rejected', what: 'The refresh token has expired', fix: `${newConsent}.` },
  90002: {
    as: 'credential_rejected',
    what: 'The tenant does not exist in this cloud',
    fix: 'Check PARTNER_CENTER_TENANT_ID and PARTNER_CENTER_CLOUD.',
  },
  700007: {
    as: 'credential_rejected',
    what: 'The refresh token belongs to another app',
    fix: 'Check PARTNER_CENTER_CLIENT_ID, or run `npm run consent` for this app.',
  },
  700016: {
    as: 'credential_rejected',
    what: 'The app is unknown in the tenant',
    fix: 'Check PARTNER_CENTER_CLIENT_ID and PARTNER_CENTER_TENANT_ID.',
  },
  700027: {
    as: 'credential_rejected',
    what: 'The certificate is not registered for the app',
    fix: 'Upload its public part to the app registration, or store the registered certificate in Key Vault.',
  },
  70021: {
    as: 'credential_rejected',
    what: 'No federated credential of the app matches the managed identity',
    fix: 'Add a federated identity credential to the app registration: the issuer of the identity, its object id as the subject, and the audience api://AzureADTokenExchange.',
  },
  700082: {
    as: 'credential_rejected',
    what: 'The refresh token expired because it was not used for 90 days',
    fix: `${newConsent}. Check that the timer renew-credential runs every day.`,
  },
  7000215: {
    as: 'credential_rejected',
    what: 'The client secret is wrong',
    fix: 'Store the value of a valid client secret in Key Vault, not its id.',
  },
  7000222: {
    as: 'credential_rejected',
    what: 'The client secret has expired',
    fix: 'Create a client secret in Entra ID and store it in Key Vault.',
  },
  500011: {
    as: 'wrong_audience',
    what: 'The Partner Center API is unknown in the tenant',
    fix: 'Check PARTNER_CENTER_CLOUD, and register the app in Partner Center.',
  },
}

/** The token endpoint sends no usable response. `retryAfterMs` is its own `Retry-After`. */
export function authorityUnavailable(retryAfterMs: number | undefined, cause?: unknown): AppError {
  const retryAfterSeconds = retryAfterMs === undefined ? 30 : Math.ceil(retryAfterMs / 1000)
  return new AppError(
    'authority_unavailable',
    `The sign-in service of Entra ID cannot be reached or is overloaded. Try again in ${retryAfterSeconds} seconds.`,
    { retryAfterSeconds, cause },
  )
}

/** The failure that an error response of the token endpoint means. `codes` are its `error_codes`, `error` its OAuth code. */
export function toCredentialError(codes: readonly (string | number)[], error: string, cause?: unknown): AppError {
  const known = codes.map(String).find(code => Object.hasOwn(meanings, code))
  const meaning = known === undefined ? undefined : meanings[known]
  if (meaning !== undefined) {
    return new AppError(meaning.as, `${meaning.what} (AADSTS${known}). ${meaning.fix}`, { cause })
  }
  if (error === 'temporarily_unavailable') return authorityUnavailable(undefined, cause)
  const said = codes.length > 0 ? `AADSTS${codes[0]}` : error.slice(0, 60)
  const code = error === 'interaction_required' ? 'mfa_required' : 'credential_rejected'
  return new AppError(
    code,
    `Entra ID rejects the credential of the app (${said.replace(/[^\w]/g, '')}). Check the app registration, its secret and its consent.`,
    { cause },
  )
}
