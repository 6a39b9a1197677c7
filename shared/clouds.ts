export type Cloud = {
  /** Partner Center REST host, without `/v1`. */
  baseUrl: string
  /** Entra ID host that issues the tokens. */
  authority: string
  /** Resource the access token is for; its scopes are `<audience>/.default` and `<audience>/user_impersonation`. */
  audience: string
}

const globalApi = 'https://api.partnercenter.microsoft.com'

/**
 * The four clouds of Partner Center. Base URLs and audiences:
 * learn.microsoft.com/partner-center/developer/partner-center-rest-urls and partner-center-authentication. Audience of
 * 21Vianet: deprecate-azure-active-directory-graph-token. US Government uses the global API. The German cloud is
 * closed. Its entry stays so that existing settings still resolve.
 */
export const clouds = {
  global: { baseUrl: globalApi, authority: 'https://login.microsoftonline.com', audience: globalApi },
  usgov: { baseUrl: globalApi, authority: 'https://login.microsoftonline.us', audience: globalApi },
  china: {
    baseUrl: 'https://partner.partnercenterapi.microsoftonline.cn',
    authority: 'https://login.partner.microsoftonline.cn',
    audience: 'https://partner.partnercenterapi.microsoftonline.cn',
  },
  germany: { baseUrl: globalApi, authority: 'https://login.microsoftonline.de', audience: 'https://graph.cloudapi.de' },
} as const satisfies Record<string, Cloud>

export type CloudName = keyof typeof clouds

/**
 * True where Partner Center keeps an activity log
 * (learn.microsoft.com/partner-center/developer/get-a-record-of-partner-center-activity-by-user).
 */
export const hasActivityLog = (cloud: CloudName): boolean => cloud === 'global' || cloud === 'usgov'
