import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { programs } from './test/support/programs.ts'

/**
 * Tests of `test/desktop/<program>/` need a program that npm cannot install; where it is missing, they are left out.
 * `REQUIRE_PROGRAMS` names those that may not be missing (CI installs them).
 */
const required = process.env.REQUIRE_PROGRAMS?.split(',') ?? []
const leftOut = Object.entries(programs).flatMap(([name, path]) =>
  path === undefined && !required.includes(name) ? [name] : [],
)
if (leftOut.length > 0)
  console.log(`Left out, since the program is not installed: tests with ${leftOut.join(' and ')}.`)

/** Starts the longest files first, so that none of them runs alone at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => /\/test\/(chaos|simulation|reliability)\//.test(moduleId)
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter(file => !isLong(file))]
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Those that take minutes: `npm run test:long`.
    exclude: ['test/**/*.long.test.ts', ...leftOut.map(name => `test/desktop/${name}/**`)],
    // What a test that passes provokes, such as the log line of an error, is no news.
    silent: 'passed-only',
    globalSetup: 'test/support/global-setup.ts',
    // Many tests wait for a real server more than they compute.
    maxWorkers: 2 * availableParallelism(),
    sequence: { sequencer: LongestFirst },
    coverage: {
      provider: 'v8',
      // What runs in the host's own process is not counted: these tests are those of single modules.
      include: ['shared/**/*.ts'],
      reporter: ['text-summary', 'html'],
      // What `npm run coverage` had on 2026-11-21, rounded down.
      thresholds: { statements: 85, branches: 80, functions: 84, lines: 86 },
    },
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
