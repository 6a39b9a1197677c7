import { createHash } from 'node:crypto'

const styleElement = /<style>([\s\S]*?)<\/style>/

/** The source expression of a policy that allows this style, by its hash. */
export const styleSource = (style: string): string => `'sha256-${createHash('sha256').update(style).digest('base64')}'`

/**
 * The content security policy of a page. It allows the style of the page by its hash. The hash is computed from the
 * page itself, because a page of an earlier version has another style.
 */
export const policyOf = (page: string): string =>
  `default-src 'none'; style-src ${styleSource(styleElement.exec(page)?.[1] ?? '')}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'`
