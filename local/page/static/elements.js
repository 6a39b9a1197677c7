/** With this id, the requests of the page itself are not shown in the terminal. */
export const own = { 'x-ms-client-request-id': 'npm-start' }

/**
 * @param {string} id
 * @returns {any}
 */
export const find = id => document.getElementById(id)

/**
 * Creates an element. Text is never interpreted as markup.
 * @param {string} name
 * @param {Record<string, unknown>} properties
 * @param {(Node | string)[]} children
 * @returns {any}
 */
export function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties)
  element.append(...children)
  return element
}

/** @param {string | number} at */
export const clock = at =>
  new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' })

/** @param {number} bytes */
export const size = bytes => (bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(bytes < 10_240 ? 1 : 0)} KB`)

/** The headers with the function key, if the host requires one. */
let key
/** @param {string | undefined} given */
export const useKey = given => {
  key = given
}
export const keyHeaders = () => (key === undefined ? {} : { 'x-functions-key': key })

/**
 * An address for a link. Links send no headers, so the key is part of it.
 * @param {string} path
 */
export function linkTo(path) {
  if (key === undefined) return path
  const url = new URL(path, location.href)
  url.searchParams.set('code', key)
  return url.href
}

/**
 * Calls the app. Returns undefined for a failure, which must not stop the page.
 * @param {string} path
 */
export async function ask(path) {
  const response = await fetch(path, { headers: { ...own, ...keyHeaders() } })
  return { status: response.status, body: await response.json().catch(() => undefined), headers: response.headers }
}
