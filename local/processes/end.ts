/** How often a process that npm started looks whether its parent is still there. */
const watchMs = 250

/** Ctrl-C, a request to end, a closed terminal, and Ctrl-Break on Windows. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const

/**
 * Calls `stop` once when this process is asked to end: by a signal, or, under npm, by the end of its parent. npm hands
 * SIGTERM on to the shell it runs a script in, and that shell ends without handing it on. A second signal ends at once.
 */
export function onEnd(stop: () => Promise<void>): void {
  let stopping = false
  const end = () => {
    if (stopping) return
    stopping = true
    // After a closed terminal nobody reads the output any more, and writing to it fails.
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
  if (process.env.npm_lifecycle_event === undefined) return
  setInterval(() => {
    if (process.ppid !== parent) end()
  }, watchMs).unref()
}
