import { url as inspectorUrl } from 'node:inspector'
import { environment } from '../../shared/settings.ts'
import { buildApp } from './bundle.ts'

/** Bundles the app for a host on this machine. With a debugger, the source maps are beside the bundle. */
export async function buildForHost(): Promise<void> {
  // VS Code attaches after the start, and says so in the environment.
  const isDebugged = inspectorUrl() !== undefined || environment().VSCODE_INSPECTOR_OPTIONS !== undefined
  await buildApp(undefined, isDebugged ? 'beside' : undefined)
}
