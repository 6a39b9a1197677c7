import { readFileSync } from 'node:fs'
import { assertNoSecrets } from './secret-watch.ts'

/** `node test/support/search-output.ts FILE`: fails if what a test run has printed holds a secret of the simulator. */
const [file = ''] = process.argv.slice(2)
assertNoSecrets(readFileSync(file, 'utf8').split('\n'))
