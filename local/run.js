import './installed.js'

// node local/run.js COMMAND [ARGUMENT …]: runs local/commands/COMMAND.ts. What a person can put right is said in one
// sentence; anything else is a bug and keeps its stack.
const [command] = process.argv.splice(2, 1)

/** Why a file cannot be written: not ours, read-only, a file where a folder should be, no space. */
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
