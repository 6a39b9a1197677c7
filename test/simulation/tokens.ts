import { AppError } from '../../shared/errors.ts'
import type { TokenSource } from '../../shared/partner-center/request.ts'
import type { OperationContext } from '../../shared/runtime/operation.ts'
import type { Exchanges } from './exchange.ts'
import type { Faults } from './faults.ts'
import type { Process } from './process.ts'
import type { Random } from './random.ts'
import type { Trace } from './trace.ts'

type Options = {
  exchange: Exchanges
  random: Random
  faults: Faults
  trace: Trace
  /** Called when a sign-in takes long. */
  slow: () => void
}

const liveMs = 55 * 60_000

/** Sign-in like that of the app: one token per process, one sign-in at a time, each caller with its own deadline. */
export function createTokens({ exchange, random, faults, trace, slow }: Options): (process: Process) => TokenSource {
  return process => {
    let token: { text: string; until: number } | undefined
    let signingIn: Promise<string> | undefined
    let number = 0

    const signIn = () => {
      const isSlow = faults.strikes('sign-in is slow')
      if (isSlow) slow()
      return exchange(process, {
        ...(isSlow ? { thereMs: random.spread(5000, 200_000) } : {}),
        backMs: () => faults.msLeft('sign-in hangs') + random.between(5, 200),
        effect() {
          if (faults.isOn('sign-in hangs')) slow()
          const isRefused = faults.isOn('sign-in is refused')
          trace.say(process.name, () => `sign-in: ${isRefused ? 'refused' : 'a token'}`)
          if (isRefused) throw new AppError('credential_rejected', 'The secret has expired (simulated).')
          token = { text: `${process.name} token ${++number}`, until: process.clock.now() + liveMs }
          return token.text
        },
      })
    }

    function renewed(operation: OperationContext): Promise<string> {
      if (signingIn === undefined) {
        signingIn = signIn().finally(() => {
          signingIn = undefined
        })
        // Its callers may have left by the time it fails.
        signingIn.catch(() => undefined)
      }
      const { signal } = operation.deadline
      const shared = signingIn
      return new Promise((resolve, reject) => {
        const giveUp = () => reject(signal.reason)
        if (signal.aborted) return giveUp()
        const settle = (act: () => void) => {
          signal.removeEventListener('abort', giveUp)
          act()
        }
        signal.addEventListener('abort', giveUp, { once: true })
        shared.then(
          text => settle(() => resolve(text)),
          error => settle(() => reject(error)),
        )
      })
    }

    return {
      get: async operation =>
        token !== undefined && token.until > process.clock.now() ? token.text : renewed(operation),
      renew: async (rejected, operation) =>
        token !== undefined && token.text !== rejected ? token.text : renewed(operation),
    }
  }
}
