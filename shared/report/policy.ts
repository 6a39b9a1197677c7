import { createHash } from 'node:crypto'

const styleElement = /<style>([\s\S]*?)<\/style>/

/** A style that a policy allows, by its hash. */
export const styleSource = (style: string): string => `'sha256-${createHash('sha256').update(style).digest('base64')}'`

/**
 * What a browser may do with a report: show it. The style is allowed by its hash, taken from the page itself, since a page
 * that an earlier version of the app wrote has another one.
 */
export const policyOf = (page: string): string =>
  `default-src 'none'; style-src ${styleSource(styleElement.exec(page)?.[1] ?? '')}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'`
