// Loaded first by every process that `runNode` starts: ends it when its parent is gone, however the parent ended. The
// channel to the parent closes even when the parent was killed, on every system.

/** A process that does not end within this time is ended: what it waits for may be gone with its parent. */
const patienceMs = 3_000

function end(): void {
  // Nobody reads the output any more, and writing to it fails.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  setTimeout(() => process.exit(1), patienceMs)
  // Where the program can end in order, it does; Windows has no signal for that.
  if (process.listenerCount('SIGTERM') === 0) process.exit(0)
  process.emit('SIGTERM', 'SIGTERM')
}

if (process.connected === false) end()
process.on('disconnect', end)
process.channel?.unref()
