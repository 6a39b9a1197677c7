import type { TestProject } from 'vitest/node'
import { buildApp } from '../../local/build/bundle.ts'
import { startAzurite } from '../../local/processes/azurite.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of a storage emulator for all tests. Tests that use its queues start their own. */
    storage: string
  }
}

/** Once per test run: the bundle that hosts load, and a storage emulator. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [azurite] = await Promise.all([startAzurite(), buildApp()])
  project.provide('storage', azurite.connectionString)
  return () => azurite.stop()
}
