import './installed.js'

// node local/run.js COMMAND [ARGUMENT …]: runs local/commands/COMMAND.ts. A failure that the user can fix is printed as
// one sentence. Any other failure is a bug and has its stack.
const [command] = process.argv.splice(2, 1)

/** Error codes of a file that cannot be written: another owner, read-only, a file instead of a folder, or no space. */
const unwritable = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ENOSPC', 'EDQUOT'])

function explain(error) {
  if (error?.name === 'CommandError' || error?.name === 'AppError') return error.message
  if (unwritable.has(error?.code) && typeof error.path === 'string') {
    return `Cannot write ${error.path} (${error.code}). Give your account write access to that folder and space in it.`
  }
  return error
}

import(`./commands/${command}.ts`).catch(error => {
  console.error(explain(error))
  process.exit(1)
})
