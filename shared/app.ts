import type { Readers } from './readers.ts'
import { type Clock, systemClock } from './runtime/clock.ts'
import { lazy } from './runtime/lazy.ts'
import { createShareCall, type ShareCall } from './runtime/shared-calls.ts'
import { type Environment, environment, readSettings, type Settings } from './settings.ts'
import type { Snapshots } from './snapshots/snapshots.ts'
import { queueName } from './snapshots/storage/queue-names.ts'

/** The collaborators of the functions. Each is created when it is first needed. */
export type App = {
  clock: Clock
  settings: () => Promise<Settings>
  /** Combines equal calls that run at the same time. */
  share: ShareCall
  /** What reads Partner Center, and its credential. */
  readers: () => Promise<Readers>
  snapshots: () => Promise<Snapshots>
}

type AppOptions = { env?: Environment; overrides?: { clock?: Clock } }

/**
 * The composition root: the one place where modules are wired, together with `readers.ts`. SDKs, undici and zod are
 * loaded with the part that needs them, so that a cold start loads only what its first call uses.
 */
export function createApp({ env = environment(), overrides = {} }: AppOptions = {}): App {
  const clock = overrides.clock ?? systemClock
  const share = createShareCall(clock)
  const settings = lazy(() => readSettings(env))

  const readers = lazy(async (): Promise<Readers> => {
    const [values, { createReaders }] = await Promise.all([settings(), import('./readers.ts')])
    return createReaders({ settings: values, clock, share })
  })

  const snapshots = lazy(async (): Promise<Snapshots> => {
    const [values, reading, { createSnapshots }, clients, { createStore }, queues] = await Promise.all([
      settings(),
      readers(),
      import('./snapshots/snapshots.ts'),
      import('./snapshots/storage/storage-clients.ts'),
      import('./snapshots/storage/store.ts'),
      import('./snapshots/storage/part-queue.ts'),
    ])
    const { container } = values.snapshots
    const [blobs, messages] = await Promise.all([
      clients.createContainerClient(values.snapshotStorage, container, reading.signIn),
      clients.createQueueClient(values.hostStorage, queueName, reading.signIn),
    ])
    return createSnapshots({
      store: createStore(blobs),
      queue: queues.createPartQueue(messages),
      request: reading.requestOptions(values.concurrency),
      settings: values,
      clock,
      readCredential: reading.credentialHealth,
    })
  })

  return { clock, share, settings, readers, snapshots }
}

let app: App | undefined

/** The app of this worker process. */
export const getApp = (): App => {
  app ??= createApp()
  return app
}
