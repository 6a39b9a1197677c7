import './installed.js'

// node local/run.js COMMAND [ARGUMENT …]: runs local/commands/COMMAND.ts. What a person can put right is said in one
// sentence; anything else is a bug and keeps its stack.
const [command] = process.argv.splice(2, 1)
import(`./commands/${command}.ts`).catch(error => {
  console.error(error?.name === 'CommandError' || error?.name === 'AppError' ? error.message : error)
  process.exit(1)
})
