import { defineConfig } from 'vitest/config'

/** Tests that take minutes, so that `npm test` leaves them out. With `--mode record` they write their figures down. */
export default defineConfig(({ mode }) => ({
  test: {
    include: ['test/**/*.long.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    env: mode === 'record' ? { RECORD_FIGURES: 'true' } : {},
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
}))
