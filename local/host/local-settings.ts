import { readFile } from 'node:fs/promises'
import { root } from '../build/bundle.ts'

/** Puts the settings of `local.settings.json`, the file Core Tools reads, into the environment, which goes before them. */
export async function loadLocalSettings(): Promise<void> {
  let text: string
  try {
    text = await readFile(`${root}local.settings.json`, 'utf8')
  } catch {
    return
  }
  const { Values = {} } = JSON.parse(text.replace(/^\uFEFF/, '')) as { Values?: Record<string, string> }
  for (const [name, value] of Object.entries(Values)) process.env[name] ??= value
}
