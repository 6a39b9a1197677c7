import { readFile } from 'node:fs/promises'
import { isAppError } from '../shared/errors.ts'
import { environment, readSettings } from '../shared/settings.ts'
import { buildApp, root } from './build.ts'
import { startHost } from './host/host.ts'

/** Settings of `local.settings.json`, the file Core Tools reads; the environment goes before it. */
async function loadLocalSettings(): Promise<void> {
  let text: string
  try {
    text = await readFile(`${root}local.settings.json`, 'utf8')
  } catch {
    return
  }
  const { Values = {} } = JSON.parse(text.replace(/^\uFEFF/, '')) as { Values?: Record<string, string> }
  for (const [name, value] of Object.entries(Values)) process.env[name] ??= value
}

await loadLocalSettings()
try {
  await readSettings()
} catch (error) {
  if (!isAppError(error)) throw error
  console.error(error.message)
  process.exit(1)
}
const env = environment()
await buildApp()
const host = await startHost({ appFolder: root, port: Number(env.PORT ?? 7071), key: env.LOCAL_FUNCTION_KEY })

let stopping = false
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) process.exit(1)
    stopping = true
    host.stop().then(() => process.exit(0))
  })
}
console.log(`Listening on ${host.url}`)
