import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { packageTarget } from '../build/package.ts'
import { readStack } from '../build/read-stack.ts'
import { CommandError } from '../processes/command-error.ts'

/** `npm run stack [-- FOLDER] < stack.txt`: writes a stack of the deployed bundle with places in the source. */
const [maps = join(packageTarget, 'maps')] = process.argv.slice(2)
const isFolder = await stat(maps).then(
  found => found.isDirectory(),
  () => false,
)
if (!isFolder) {
  throw new CommandError(
    `There are no source maps in ${maps}. Check out the version that is deployed, run npm ci and npm run package, then try again.`,
  )
}
process.stdout.write(await readStack(await text(process.stdin), maps))
