/** How often a process that npm started looks whether its parent is still there. */
const watchMs = 250

/**
 * Calls `stop` once when this process is asked to end: by a signal, or, under npm, by the end of its parent. npm hands
 * SIGTERM on to the shell it runs a script in, and that shell ends without handing it on. A second signal ends at once.
 */
export function onEnd(stop: () => Promise<void>): void {
  let stopping = false
  const end = () => {
    if (stopping) return
    stopping = true
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
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
