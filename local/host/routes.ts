import type { FunctionMetadata } from './core.ts'

type Segment = { kind: 'text' | 'one' | 'optional' | 'rest'; value: string }

export type HttpRoute = { name: string; methods: string[]; authLevel: string; segments: Segment[] }

/** HTTP functions in the order in which the host tries them: by name. */
export function httpRoutes(functions: Iterable<FunctionMetadata>, prefix: string): HttpRoute[] {
  return [...functions]
    .flatMap(({ name, bindings }) => {
      const trigger = Object.values(bindings).find(({ type }) => type === 'httpTrigger')
      if (trigger === undefined) return []
      const path = [prefix, String(trigger.route ?? name)].filter(part => part !== '').join('/')
      const methods = ((trigger.methods as string[] | undefined) ?? []).map(method => method.toUpperCase())
      return [{ name, methods, authLevel: String(trigger.authLevel), segments: path.split('/').map(toSegment) }]
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function toSegment(text: string): Segment {
  const [, star, name, mark] = /^\{(\*?)(\w+)(\??)\}$/.exec(text) ?? []
  if (name === undefined) return { kind: 'text', value: text.toLowerCase() }
  return { kind: star === '*' ? 'rest' : mark === '?' ? 'optional' : 'one', value: name }
}

/**
 * The parameters of a decoded path that matches the route. An empty segment matches nothing except in a catch-all
 * parameter (aspnetcore, RoutePatternMatcher).
 */
export function matchRoute(route: HttpRoute, method: string, path: string): Record<string, string> | undefined {
  if (!route.methods.includes(method)) return undefined
  const parts = path.split('/').slice(1)
  const count = parts.at(-1) === '' ? parts.length - 1 : parts.length
  const params: Record<string, string> = {}
  for (const [index, segment] of route.segments.entries()) {
    if (segment.kind === 'rest') {
      if (index >= count) return params
      return parts[index] === '' ? undefined : { ...params, [segment.value]: parts.slice(index).join('/') }
    }
    const part = index < count ? parts[index] : undefined
    if (part === undefined && segment.kind === 'optional') return params
    if (part === undefined || part === '') return undefined
    if (segment.kind !== 'text') params[segment.value] = part
    else if (part.toLowerCase() !== segment.value) return undefined
  }
  return count === route.segments.length ? params : undefined
}
