import { defineConfig } from 'vitest/config'
import { programs } from './test/support/programs.ts'

/** Tests of `test/desktop/<program>/` need a program that npm cannot install. CI installs them all and demands them. */
const missing = Object.entries(programs).flatMap(([name, path]) => (path === undefined ? [name] : []))
const leftOut = process.env.REQUIRE_PROGRAMS === 'true' ? [] : missing
if (leftOut.length > 0)
  console.log(`Left out, since the program is not installed: tests with ${leftOut.join(' and ')}.`)

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: leftOut.map(name => `test/desktop/${name}/**`),
    globalSetup: 'test/support/global-setup.ts',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
