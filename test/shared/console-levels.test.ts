import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { consoleSink, createLog, type LogLevel } from '../../shared/runtime/log.ts'

type Written = { stream: 'stdout' | 'stderr'; line: string }

/** A line at start as the Functions host receives it: the stream that Node.js writes it to, and its text. */
function written(level: LogLevel, event: string, fields: Record<string, unknown>): Written {
  const lines: Written[] = []
  const take = (stream: Written['stream']) => (line: unknown) => void lines.push({ stream, line: String(line) })
  for (const method of ['debug', 'info', 'log'] as const) vi.spyOn(console, method).mockImplementation(take('stdout'))
  for (const method of ['warn', 'error'] as const) vi.spyOn(console, method).mockImplementation(take('stderr'))
  createLog(consoleSink)(level, event, fields)
  const [line, ...others] = lines
  if (line === undefined || others.length > 0) throw new Error(`Expected one line, not ${lines.length}`)
  return line
}

/**
 * The level that the host gives to a line of a worker: OnOutputDataReceived and ParseErrorMessageAndLog in
 * WorkerProcess.cs of github.com/Azure/azure-functions-host.
 */
function levelOnThePlatform({ stream, line }: Written, errorsOnly: boolean): string {
  const has = (word: string): boolean => line.toLowerCase().includes(word)
  if (stream === 'stdout') return 'Information'
  if (has('warn')) return 'Warning'
  if (errorsOnly) return 'Error'
  return ['error', 'fail', 'severe', 'unhandled exception'].some(has) ? 'Error' : 'Information'
}

const platformLevels: Record<LogLevel, string> = {
  debug: 'Information',
  info: 'Information',
  warn: 'Warning',
  error: 'Error',
}
const levels = Object.keys(platformLevels) as LogLevel[]

afterEach(() => {
  vi.restoreAllMocks()
})

describe('a line at start', () => {
  test.each(levels)('a line at start of level %s has that level on the platform, whatever its text', level => {
    const words = ['warn', 'WARNING', 'error', 'fail', 'Severe', 'unhandled exception', '\\warn', 'war\\n', '"', 'ok']
    const text = fc.array(fc.constantFrom(...words, '\n', '\\'), { maxLength: 6 }).map(parts => parts.join(' '))
    fc.assert(
      fc.property(text, fc.boolean(), (message, errorsOnly) => {
        // Never the key "\\" alone: after V8 13.6 parsed {"a":1,"\\":1}, it parses {"a":1,"\n":1} with the key "\\".
        const name = `name ${message}`
        const line = written(level, 'cloud_closed', { message, [name]: 1 })
        expect(levelOnThePlatform(line, errorsOnly)).toBe(platformLevels[level])
        expect(JSON.parse(line.line)).toEqual({ event: 'cloud_closed', level, message, [name]: 1 })
        vi.restoreAllMocks()
      }),
      { numRuns: 300 },
    )
  })

  test('a line at start begins with its event, which the alert queries search for', () => {
    expect(written('error', 'app_misconfigured', { message: 'a warning' }).line).toBe(
      '{"event":"app_misconfigured","level":"error","message":"a war\\u006eing"}',
    )
  })

  test('a line at start would have the wrong level without escaping', () => {
    const line = JSON.stringify({ event: 'app_misconfigured', level: 'error', message: 'a warning' })
    expect(levelOnThePlatform({ stream: 'stderr', line }, false)).toBe('Warning')
  })
})
