import { defineConfig } from 'vitest/config'

/** Tests that take minutes, so that `npm test` leaves them out. */
export default defineConfig({
  test: {
    include: ['test/**/*.long.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
})
