import type { PartQueue } from '../../shared/snapshots/storage/part-queue.ts'
import type { Exchanges } from './exchange.ts'
import type { Faults } from './faults.ts'
import type { Findings } from './findings.ts'
import type { Process } from './process.ts'
import type { Scheduler } from './scheduler.ts'
import { unavailable } from './storage.ts'
import type { Trace } from './trace.ts'

export type QueuedMessage = {
  text: string
  /** A word for the trace. */
  label: string
  visibleAt: number
  expiresAt: number
  deliveries: number
  /** The receipt of the newest delivery. An older delivery can no longer delete or return the message. */
  receipt: number
}

export type Queue = {
  messages: QueuedMessage[]
  poison: QueuedMessage[]
  /** The number of messages that a fault removed. */
  vanished: () => number
  /** Called when there is a new message. */
  onSent: (listener: (message: QueuedMessage) => void) => void
  queueOf: (process: Process) => PartQueue
}

type Options = { exchange: Exchanges; scheduler: Scheduler; faults: Faults; trace: Trace; findings: Findings }

/** Twice the parts of the largest run, and a margin. */
const most = 200

const liveMs = 7 * 86_400_000

export function labelOf(text: string): string {
  const { kind = '', part } = JSON.parse(text) as { kind?: string; part?: number }
  return part === undefined ? kind : `${kind} ${part}`
}

/** A storage queue with visibility delays. The simulated host takes its messages. */
export function createQueue({ exchange, scheduler, faults, trace, findings }: Options): Queue {
  const messages: QueuedMessage[] = []
  const listeners: ((message: QueuedMessage) => void)[] = []
  let vanished = 0

  function add(text: string, delaySeconds: number): QueuedMessage {
    const visibleAt = scheduler.now() + Math.max(0, Math.round(delaySeconds)) * 1000
    const expiresAt = scheduler.now() + liveMs
    const message = { text, label: labelOf(text), visibleAt, expiresAt, deliveries: 0, receipt: 0 }
    messages.push(message)
    if (messages.length === most) findings.broken('messages do not multiply', `${most} at once`)
    for (const listener of listeners) listener(message)
    return message
  }

  return {
    messages,
    poison: [],
    vanished: () => vanished,
    onSent: listener => listeners.push(listener),
    queueOf: process => ({
      async send(message, delaySeconds = 0) {
        const text = JSON.stringify(message)
        const say = (what: string) =>
          trace.say(process.name, () => `send ${labelOf(text)} in ${Math.round(delaySeconds)} s: ${what}`)
        const sent = await exchange(process, {
          weight: 6,
          effect() {
            if (faults.isOn('storage is down') || faults.strikes('queue refuses')) {
              say('refused')
              throw unavailable()
            }
            if (faults.strikes('message vanishes')) {
              vanished++
              say('sent, and lost later')
              return undefined
            }
            const added = add(text, delaySeconds)
            if (faults.strikes('queue sends twice')) {
              say('sent twice')
              add(text, delaySeconds)
            } else if (faults.strikes('queue loses an answer')) {
              say('sent, and the answer is lost')
              throw unavailable()
            } else say('sent')
            return added
          },
        })
        const withdraw = () =>
          exchange(process, {
            effect() {
              const at = sent === undefined ? -1 : messages.indexOf(sent)
              if (at >= 0 && sent?.receipt === 0) messages.splice(at, 1)
            },
          })
        return { withdraw }
      },
    }),
  }
}
