import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The first of these names that is an executable on PATH. */
function find(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return names.flatMap(name => folders.map(folder => join(folder, name))).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Programs that npm cannot install, for the tests under `test/desktop/`. */
export const programs = {
  chromium: find('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'),
  libreOffice: find('soffice', 'libreoffice'),
  bicep: find('bicep'),
} as const
