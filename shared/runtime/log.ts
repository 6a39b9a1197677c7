export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Writes one event. `event` is a stable name in lower snake case that alerts and queries match. */
export type Log = (level: LogLevel, event: string, fields?: Record<string, unknown>) => void

const secretNames =
  'client_?secret|client_?assertion|refresh_?token|access_?token|id_?token|AccountKey|SharedAccessKey|x-functions-key|password'

/** The longest text in a line. It limits the time that the patterns below take. */
const maxTextLength = 16_384

/** Patterns of secrets. None may reach a log line or a response. Each takes time linear in the text. */
const secrets: readonly [RegExp, string][] = [
  [/\beyJ[\w-]{8,}(?:\.[\w-]*)*/g, '[token]'],
  [/\b(Bearer|SharedKey|SharedAccessSignature)\s+[^\s"',]+/gi, '$1 [redacted]'],
  [/\b(authorization[\\"']*\s*[:=][\s\\"']*\w+)\s+[^\s"',]+/gi, '$1 [redacted]'],
  [/\b[01]\.A[\w-]{40,}(\.[\w-]+)*/g, '[refresh token]'],
  [/-----BEGIN [^-]+-----[\s\S]*?(-----END [^-]+-----|$)/g, '[pem]'],
  // Also matches a URL that is encoded within another one.
  [/((?:[?&]|%26|%3f)(?:code|key)(?:=|%3d))[^&\s"'\\;]+/gi, '$1[redacted]'],
  [/((?:\b|%26|%3f|%3b)sig(?:=|%3d))[^&\s"'\\;]+/gi, '$1[redacted]'],
  // A value in quotes ends with the same quote, escaped equally often. A value without quotes ends at a separator.
  [new RegExp(`(${secretNames})(\\\\*["']\\s*[=:]\\s*(\\\\*["']))(?:(?!\\3)[\\s\\S])+`, 'gi'), '$1$2[redacted]'],
  [new RegExp(`(${secretNames})([\\\\"']*\\s*[=:]\\s*[\\\\"']*)[^\\s&"',;}\\\\]+`, 'gi'), '$1$2[redacted]'],
]

const isSecretName = new RegExp(`^(${secretNames}|authorization)$`, 'i')

/**
 * Text of only these characters, such as an id or a name, matches no pattern above: each needs an upper-case letter, a
 * space or a sign.
 */
const holdsNoSecret = /^[a-z0-9_-]{0,256}$/

/** The text without secrets, cut to 16,384 characters. */
export const redact = (text: string): string =>
  holdsNoSecret.test(text)
    ? text
    : secrets.reduce((clean, [pattern, mask]) => clean.replace(pattern, mask), text.slice(0, maxTextLength))

/** The error and its causes in one line, without a stack and without secrets. */
export function describeError(error: unknown): string {
  const texts: string[] = []
  for (let at: unknown = error, depth = 0; at !== undefined && depth < 4; depth++) {
    texts.push(at instanceof Error ? `${at.name}: ${at.message}` : String(at))
    at = at instanceof Error ? at.cause : undefined
  }
  return redact(texts.join(' <- ')).slice(0, 2000)
}

/** The sinks of an Azure Functions invocation context, or of `console`. */
type LogSink = Record<LogLevel, (line: string) => void>

/** Writes a letter as a JSON escape. A parser reads it as the same letter. */
const escaped = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`

/**
 * `console`, for lines that belong to no invocation. The Functions host logs stdout as Information. It searches each
 * line on stderr for words: `warn` anywhere makes a warning, otherwise `error` makes an error (ParseErrorMessageAndLog
 * in WorkerProcess.cs of github.com/Azure/azure-functions-host). The member `level` contains one of these words, so a
 * line of level `error` must not contain `warn`.
 */
export const consoleSink: LogSink = {
  debug: line => console.debug(line),
  info: line => console.info(line),
  warn: line => console.warn(line),
  error: line => console.error(line.replace(/(?<=war)n/gi, escaped)),
}

/**
 * One JSON object per line. The platform formats all arguments into one string and has no custom dimensions
 * (github.com/Azure/azure-functions-nodejs-library/issues/227), so queries parse the message.
 */
export const createLog =
  (sink: LogSink, common: Record<string, unknown> = {}): Log =>
  (level, event, fields) =>
    sink[level](
      JSON.stringify({ event, level, ...common, ...fields }, (name, value: unknown) => {
        if (typeof value !== 'string') return value
        return isSecretName.test(name) ? '[redacted]' : redact(value)
      }),
    )
