import { CommandError } from './command-error.ts'

/** The address of a running app, from a command line. */
export function readAppUrl(text: string): URL {
  const url = URL.parse(text)
  if (url !== null && /^https?:$/.test(url.protocol)) return url
  throw new CommandError(
    `"${text}" is no address of an app. Write it with https://, as in https://your-app.azurewebsites.net`,
  )
}

/** The reason in the cause of a failed `fetch`. */
const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
}

/** The error for an address that does not respond. */
export const noResponse = (url: URL, error: unknown): CommandError =>
  new CommandError(`${url.origin} does not respond (${reasonOf(error)}). Start the app there, or check the address.`)
