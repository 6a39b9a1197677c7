/** How often a process that npm started checks whether its parent still runs. */
const watchMs = 250

/** Ctrl-C, a request to end, a closed terminal, and Ctrl-Break on Windows. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const

/**
 * Calls `stop` once when this process should end: at a signal, or under npm at the end of its parent. npm passes
 * SIGTERM to the shell that runs the script, and that shell ends without passing it on. A second signal ends the
 * process at once. Returns a function
 * that does the same without a signal, because Windows has no signal that a process can send to itself.
 */
export function onEnd(stop: () => Promise<void>): () => void {
  let stopping = false
  const end = () => {
    if (stopping) return
    stopping = true
    // After the terminal is closed, writing to the output fails.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  for (const signal of signals) {
    process.on(signal, () => {
      if (stopping) process.exit(1)
      end()
    })
  }
  const parent = process.ppid
  if (process.env.npm_lifecycle_event !== undefined) {
    setInterval(() => {
      if (process.ppid !== parent) end()
    }, watchMs).unref()
  }
  return end
}
