import { readFile } from 'node:fs/promises'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { join } from 'node:path'

/** A place in the bundle, as a stack names it: `…/dist/chunks/name-HASH.js:12:34`. */
const place = /[^\s("]*\b((?:main|chunks\/[\w.-]+)\.js):(\d+):(\d+)/g

/**
 * The text of a stack, or of a log line that holds one, with places in the source instead of the bundle. Places of a bundle
 * whose maps are not in the folder stay as they are.
 */
export async function readStack(text: string, maps: string): Promise<string> {
  // Inside a log line the ends of lines are escaped.
  const lines = text.replaceAll('\\n', '\n')
  const names = new Set([...lines.matchAll(place)].map(([, name = '']) => name))
  const known = new Map<string, SourceMap>()
  for (const name of names) {
    const json = await readFile(join(maps, `${name}.map`), 'utf8').catch(() => undefined)
    if (json !== undefined) known.set(name, new SourceMap(JSON.parse(json) as SourceMapPayload))
  }
  return lines.replaceAll(place, (whole: string, name: string, line: string, column: string) => {
    const origin = known.get(name)?.findOrigin(Number(line), Number(column))
    if (origin === undefined || !('fileName' in origin)) return whole
    return `${origin.fileName.replace(/^(?:\.\.\/)+/, '')}:${origin.lineNumber}:${origin.columnNumber}`
  })
}
