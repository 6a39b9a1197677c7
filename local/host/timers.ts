import { setTimeout as sleepFor } from 'node:timers/promises'
import { Cron } from 'croner'
import type { FunctionMetadata, LoadedApp, RetryOptions } from './core.ts'

/** Waits between two tries. Rejects when the signal aborts. */
type Sleep = (ms: number, value: undefined, options: { signal: AbortSignal }) => Promise<unknown>

export type Timers = {
  /** Runs a timer function once, now. A failure is not retried. False if there is no such function. */
  startByHand: (name: string) => boolean
  /** Stops the schedules and waits for the work in progress. */
  stop: () => Promise<void>
}

/** Milliseconds before repetition `count`, counted from 0 (learn.microsoft.com/azure/azure-functions/functions-bindings-error-pages). */
export function retryDelayMs(options: RetryOptions, count: number): number {
  const ms = (duration: { seconds?: number } | undefined) => Number(duration?.seconds ?? 0) * 1000
  if (options.retryStrategy === 'fixedDelay') return ms(options.delayInterval)
  return Math.min(ms(options.maximumInterval), ms(options.minimumInterval) * 2 ** count)
}

/**
 * Fires timer triggers in UTC. As in NCRONTAB, both the day of the month and the day of the week must match. A timer
 * never overlaps itself. There is only one host, so the lease of the platform is not needed.
 */
export function startTimers(app: LoadedApp, sleep: Sleep = sleepFor): Timers {
  const running = new Map<string, Promise<void>>()
  const crons: Cron[] = []
  const ending = new AbortController()

  async function run({ name, retryOptions }: FunctionMetadata, next: Date | null, isByHand: boolean): Promise<void> {
    const timer = {
      IsPastDue: false,
      Schedule: { AdjustForDST: true },
      ScheduleStatus: { Last: new Date(), LastUpdated: new Date(), Next: next ?? new Date() },
    }
    for (let count = 0; !ending.signal.aborted; count++) {
      try {
        await app.invoke(name, { json: JSON.stringify(timer) })
        return
      } catch (error) {
        console.error(JSON.stringify({ event: 'function_failed', function: name, message: String(error) }))
        if (isByHand || retryOptions === undefined || count >= (retryOptions.maxRetryCount ?? 0)) return
        await sleep(retryDelayMs(retryOptions, count), undefined, { signal: ending.signal }).catch(() => undefined)
      }
    }
  }

  function start(metadata: FunctionMetadata, next: Date | null, isByHand = false): void {
    if (running.has(metadata.name)) return
    running.set(
      metadata.name,
      run(metadata, next, isByHand).finally(() => running.delete(metadata.name)),
    )
  }

  const timers = new Map(
    [...app.functions.values()].flatMap(metadata => {
      const trigger = Object.values(metadata.bindings).find(({ type }) => type === 'timerTrigger')
      return trigger === undefined ? [] : [[metadata.name, { metadata, schedule: String(trigger.schedule) }] as const]
    }),
  )
  for (const { metadata, schedule } of timers.values()) {
    crons.push(
      new Cron(schedule, { timezone: 'UTC', domAndDow: true, unref: true }, cron => start(metadata, cron.nextRun())),
    )
  }

  return {
    startByHand(name) {
      const timer = timers.get(name)
      if (timer !== undefined) start(timer.metadata, null, true)
      return timer !== undefined
    },
    async stop() {
      ending.abort()
      for (const cron of crons) cron.stop()
      await Promise.all(running.values())
    },
  }
}
