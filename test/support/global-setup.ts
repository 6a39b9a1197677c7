import type { TestProject } from 'vitest/node'
import { buildApp } from '../../local/build/bundle.ts'
import { startAzurite } from '../../local/processes/azurite.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of a storage emulator that all tests share; those that use its queues start their own. */
    storage: string
  }
}

/** Once a run: the bundle that hosts load, and a storage emulator. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [azurite] = await Promise.all([startAzurite(), buildApp()])
  project.provide('storage', azurite.connectionString)
  return () => azurite.stop()
}
