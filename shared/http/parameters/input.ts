import type { HttpRequest } from '@azure/functions'
import { z } from 'zod'
import { AppError, type ErrorDetail } from '../../errors.ts'
import { metaOf } from './parameter-kinds.ts'
import type { Parameters } from './parameters.ts'

/** Largest request body in bytes. */
const maxBodyBytes = 64 * 1024

/** The platform's query parameter for the function key. This app never reads it. */
const platformParameter = 'code'

/** Makes a name safe to repeat in a message. Callers can send any text as a parameter name. */
const printable = (name: string): string => name.replace(/[^\w.$-]/g, '?').slice(0, 64)

const invalid = (details: ErrorDetail[]): AppError => {
  const [first] = details
  return new AppError('invalid_request', first?.message ?? 'The request is not valid.', {
    ...(first === undefined ? {} : { target: first.target }),
    details,
  })
}

export const invalidParameter = (target: string, expected: string): AppError =>
  invalid([{ target, message: `Parameter '${target}' must be ${expected}.` }])

/**
 * The schemas of the parameter definitions. They are kept because zod compiles a schema at its first input, which takes
 * longer than the parsing.
 */
const schemas = new WeakMap<object, z.ZodObject>()

function schemaOf(parameters: Pick<Parameters<unknown>, 'path' | 'query' | 'body'>): z.ZodObject {
  const known = schemas.get(parameters)
  if (known !== undefined) return known
  const { path, query, body } = parameters
  const schema = z.object({ ...path, ...query, ...body })
  schemas.set(parameters, schema)
  return schema
}

/** Reads and checks all parameters of a request. Throws an `AppError` that lists every fault at once. */
export async function readInput<Values>(request: HttpRequest, parameters: Parameters<Values>): Promise<Values> {
  const { path, query, body, check } = parameters
  const details: ErrorDetail[] = []
  const values = new Map<string, unknown>()
  const seen = new Set<string>()
  const take = (known: z.ZodRawShape, given: Iterable<[string, unknown]>) => {
    for (const [name, value] of given) {
      if (!Object.hasOwn(known, name)) {
        details.push({ target: printable(name), message: unknownParameter(name, Object.keys(known)) })
      } else if (seen.has(name)) {
        details.push({ target: name, message: `Parameter '${name}' is given more than once. Give it once.` })
      } else if (!isEmpty(value)) {
        values.set(name, toText(value))
      }
      seen.add(name)
    }
  }
  take(query, readQuery(request))
  if (body !== undefined && request.method === 'POST') take(body, Object.entries(await readJsonObject(request)))
  for (const name of Object.keys(path)) values.set(name, request.params[name])

  const schema = schemaOf(parameters)
  const parsed = schema.safeParse(Object.fromEntries(values))
  if (!parsed.success) {
    for (const name of new Set(parsed.error.issues.map(issue => String(issue.path[0])))) {
      const message = `Parameter '${name}' must be ${expectedForm(schema.shape[name])}.`
      details.push({ target: name, message })
    }
    throw invalid(details)
  }
  if (details.length > 0) throw invalid(details)
  // The type of the parsed data is `Values`, because `define` derived `Values` from the same schemas.
  const input = parsed.data as Values
  const fault = check?.(input)
  if (fault !== undefined) throw invalidParameter(fault.target, fault.expected)
  return input
}

/** Flows send empty values for fields that the user left empty. */
const isEmpty = (value: unknown): boolean => value === '' || value === null

/** Parsed from the URL, because the `query` of the library joins repeated values. */
const readQuery = (request: HttpRequest): [string, string][] =>
  [...new URL(request.url).searchParams].filter(([name]) => name !== platformParameter)

const unknownParameter = (name: string, known: string[]): string =>
  known.length === 0
    ? `Parameter '${printable(name)}' is unknown. This function has no parameters.`
    : `Parameter '${printable(name)}' is unknown. This function has the parameters ${known.join(', ')}.`

/** Converts JSON booleans and numbers to text. The schema rejects every other value that is not text. */
const toText = (value: unknown): unknown =>
  typeof value === 'boolean' || typeof value === 'number' ? String(value) : value

const expectedForm = (schema: unknown): string => metaOf(schema)?.expected ?? 'in the documented form'

/** The body as a JSON object. A missing body is an empty object. */
export async function readJsonObject(request: HttpRequest): Promise<Record<string, unknown>> {
  const refuse = (message: string) => invalid([{ target: 'body', message }])
  const text = await request.text()
  if (text === '' && /chunked/i.test(request.headers.get('transfer-encoding') ?? '')) {
    // The platform drops such a body (github.com/Azure/azure-functions-nodejs-worker/issues/524).
    throw refuse('The body did not arrive, because it was sent chunked. Send it with a Content-Length header.')
  }
  if (Buffer.byteLength(text) > maxBodyBytes) throw refuse('The body must be at most 64 KiB.')
  if (text.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw refuse('The body must be a JSON object.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse('The body must be a JSON object.')
  }
  return value as Record<string, unknown>
}
