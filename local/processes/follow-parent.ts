// Preloaded in every process that `runNode` starts. It ends the process when its parent is gone, however the parent
// ended. The channel to the parent closes even if the parent was killed, on every system.

/**
 * A process that does not end within this time is terminated, because what it waits for may have ended with its parent.
 */
const maxWaitMs = 3_000

function end(): void {
  // Nothing reads the output any more, and writing to it fails.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  setTimeout(() => process.exit(1), maxWaitMs)
  // A process with a handler ends in order. Windows has no signal for that, so the event is emitted here.
  if (process.listenerCount('SIGTERM') === 0) process.exit(0)
  process.emit('SIGTERM', 'SIGTERM')
}

if (process.connected === false) end()
process.on('disconnect', end)
process.channel?.unref()
