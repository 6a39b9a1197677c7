import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { root } from '../build/bundle.ts'
import { CommandError } from '../processes/command-error.ts'

const localSettingsSchema = z.object({ Values: z.record(z.string(), z.string()).default({}) })

/**
 * Adds the settings of `local.settings.json`, the file of Core Tools, to the environment. Existing variables take
 * precedence.
 */
export async function loadLocalSettings(): Promise<void> {
  const text = await readFile(`${root}local.settings.json`, 'utf8').catch(() => undefined)
  if (text === undefined) return
  for (const [name, value] of Object.entries(parseLocalSettings(text))) process.env[name] ??= value
}

export function parseLocalSettings(text: string): Record<string, string> {
  try {
    return localSettingsSchema.parse(JSON.parse(text.replace(/^\uFEFF/, ''))).Values
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error).replaceAll('\n', ' ') : String(error)
    throw new CommandError(
      `local.settings.json cannot be read (${reason}). Write it as local.settings.sample.json is: {"Values": {"NAME": "text", …}}.`,
    )
  }
}
