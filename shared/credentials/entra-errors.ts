import { AppError, type ErrorCode } from '../errors.ts'

type Meaning = { as: ErrorCode; what: string; mend: string }

const newConsent = 'Run `npm run consent` and sign in with MFA'

/**
 * What the codes of Entra ID's token endpoint mean to whoever runs the app
 * (learn.microsoft.com/entra/identity-platform/reference-error-codes). None of them passes by itself.
 */
const meanings: Readonly<Record<string, Meaning>> = {
  50076: { as: 'mfa_required', what: 'Entra ID demands multi-factor authentication', mend: `${newConsent}.` },
  50078: {
    as: 'mfa_required',
    what: 'The multi-factor authentication of the stored sign-in has expired',
    mend: `${newConsent}; a sign-in frequency policy of the tenant may exempt the service account.`,
  },
  50079: { as: 'mfa_required', what: 'The user has to register for MFA', mend: `${newConsent} after registering.` },
  50173: {
    as: 'credential_rejected',
    what: 'The refresh token was revoked, for instance by a password reset',
    mend: `${newConsent}.`,
  },
  65001: {
    as: 'credential_rejected',
    what: 'The app has no consent for the Partner Center API',
    mend: 'Grant user_impersonation in Entra ID, then run `npm run consent`.',
  },
  70000: { as: 'credential_rejected', what: 'The refresh token is malformed or revoked', mend: `${newConsent}.` },
  70008: { as: 'credential_rejected', what: 'The refresh token has expired', mend: `${newConsent}.` },
  90002: {
    as: 'credential_rejected',
    what: 'The tenant does not exist in this cloud',
    mend: 'Check PARTNER_CENTER_TENANT_ID and PARTNER_CENTER_CLOUD.',
  },
  700007: {
    as: 'credential_rejected',
    what: 'The refresh token belongs to another app',
    mend: 'Check PARTNER_CENTER_CLIENT_ID, or run `npm run consent` for this app.',
  },
  700016: {
    as: 'credential_rejected',
    what: 'The app is unknown in the tenant',
    mend: 'Check PARTNER_CENTER_CLIENT_ID and PARTNER_CENTER_TENANT_ID.',
  },
  700027: {
    as: 'credential_rejected',
    what: 'The certificate is not registered for the app',
    mend: 'Upload its public part to the app registration, or store the registered one in Key Vault.',
  },
  70021: {
    as: 'credential_rejected',
    what: 'No federated credential of the app matches the managed identity',
    mend: 'Add a federated identity credential with its issuer, its object id as the subject and audience api://AzureADTokenExchange.',
  },
  700082: {
    as: 'credential_rejected',
    what: 'The refresh token was not used for 90 days and has died',
    mend: `${newConsent}; renew-credential keeps the next one alive.`,
  },
  7000215: {
    as: 'credential_rejected',
    what: 'The client secret is wrong',
    mend: 'Store the value of a valid client secret (not its id) in Key Vault.',
  },
  7000222: {
    as: 'credential_rejected',
    what: 'The client secret has expired',
    mend: 'Create a new one in Entra ID and store it in Key Vault.',
  },
  500011: {
    as: 'wrong_audience',
    what: 'The Partner Center API is unknown in the tenant',
    mend: 'Check PARTNER_CENTER_CLOUD, and register the app in Partner Center.',
  },
}

/** The token endpoint does not answer as it should; `retryAfterMs` is what it said itself. */
export function authorityUnavailable(retryAfterMs: number | undefined, cause?: unknown): AppError {
  const retryAfterSeconds = retryAfterMs === undefined ? 30 : Math.ceil(retryAfterMs / 1000)
  return new AppError(
    'authority_unavailable',
    `The sign-in service of Entra ID cannot be reached or is overloaded. Try again in ${retryAfterSeconds} seconds.`,
    { retryAfterSeconds, cause },
  )
}

/** The failure behind an error answer of the token endpoint. `codes` are its `error_codes`, `error` its OAuth code. */
export function toCredentialError(codes: readonly (string | number)[], error: string, cause?: unknown): AppError {
  const known = codes.map(String).find(code => Object.hasOwn(meanings, code))
  const meaning = known === undefined ? undefined : meanings[known]
  if (meaning !== undefined) {
    return new AppError(meaning.as, `${meaning.what} (AADSTS${known}). ${meaning.mend}`, { cause })
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
