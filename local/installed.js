import { existsSync } from 'node:fs'

// Plain JavaScript, because it runs first, on any Node.js version. It reports what is missing before anything else
// fails.
const packages = new URL('../node_modules/.package-lock.json', import.meta.url)
const ownNode = new URL('../node_modules/node/bin/', import.meta.url)

/** The instruction for what is missing, or undefined. */
function whatIsMissing() {
  if (!existsSync(packages)) return 'The packages are not installed. Run: npm ci'
  if (process.features.typescript) return undefined
  const version = `The scripts need Node 24, and this is Node ${process.versions.node}.`
  return existsSync(ownNode)
    ? `${version} Start them with npm, which uses the Node 24 that "npm ci" installed: npm start, npm test, npm run host.`
    : `${version} "npm ci" installs it unless scripts are ignored. Run: npm ci --ignore-scripts=false`
}

const missing = whatIsMissing()
if (missing !== undefined) {
  console.error(missing)
  process.exit(1)
}
