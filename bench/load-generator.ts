import autocannon from 'autocannon'
import type { BenchHost } from './bench-host.ts'
import { customerIds } from './scenes/upstream.ts'

export type Load = {
  host: BenchHost
  path: (customer: string) => string
  inFlight: number
  requests: number
}

export type LoadResult = {
  requestsPerSecond: number
  /** Microseconds of the host's CPU for each response. */
  cpuMicros: number
  /** Upstream reads for each response: about 1 unless calls were shared. */
  readsPerResponse: number
  bytesPerResponse: number
}

/** The customers that each connection requests in turn. */
const customersEach = 2

export const customersFor = (inFlight: number): number => inFlight * customersEach

/**
 * Loads one function. Every connection has its own customers. Connections with the same customers would run in step,
 * and the app would share their calls, so that the sharing would be measured instead of the work.
 */
export async function applyLoad({ host, path, inFlight, requests }: Load): Promise<LoadResult> {
  const ids = customerIds(customersFor(inFlight))
  let connection = 0
  let startedAt = 0
  let lastResponseAt = 0
  const readsBefore = await host.upstreamReads()
  let result: autocannon.Result | undefined
  const cpuMs = await host.cpuDuring(async () => {
    startedAt = performance.now()
    result = await autocannon({
      url: host.url,
      connections: inFlight,
      amount: requests,
      setupClient: client => {
        const own = ids.slice(connection * customersEach, ++connection * customersEach)
        // The generator reports its end only at its next tick, up to a second later.
        client.on('response', () => {
          lastResponseAt = performance.now()
        })
        client.setRequests(own.map(id => ({ method: 'GET', path: path(id) })))
      },
    })
  })
  if (result === undefined || result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${result?.non2xx} failures, ${result?.errors} errors`)
  }
  const answers = result['2xx']
  const readsPerResponse = ((await host.upstreamReads()) - readsBefore) / answers
  if (readsPerResponse < 0.98)
    throw new Error(`Calls were merged: ${readsPerResponse.toFixed(2)} upstream for each answer`)
  return {
    requestsPerSecond: (1000 * answers) / (lastResponseAt - startedAt),
    cpuMicros: (cpuMs * 1000) / answers,
    readsPerResponse,
    bytesPerResponse: result.throughput.total / answers,
  }
}
