import { setTimeout as sleep } from 'node:timers/promises'
import type { Running } from '../../local/processes/run-node.ts'

export type Held = {
  /** Bytes of the heap after a garbage collection. */
  heapBytes: number
  /** Open TCP connections. */
  sockets: number
}

const question =
  '({ heapBytes: process.memoryUsage().heapUsed, sockets: process.getActiveResourcesInfo().filter(name => name === "TCPSocketWrap").length })'

/** The resources of a process that was started with `--inspect`, read over the Chrome DevTools protocol. */
export async function whatIsHeld({ lines }: Running): Promise<Held> {
  const address = lines.map(line => /Debugger listening on (ws:\S+)/.exec(line)?.[1]).find(Boolean)
  if (address === undefined) throw new Error('The process was not started with --inspect')
  const socket = new WebSocket(address)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true })
    socket.addEventListener('error', reject, { once: true })
  })
  type Reply = { id?: number; result: { result?: { value?: Held } } }
  const waiting = new Map<number, (result: Reply['result']) => void>()
  socket.addEventListener('message', ({ data }) => {
    const { id = 0, result } = JSON.parse(String(data)) as Reply
    waiting.get(id)?.(result)
    waiting.delete(id)
  })
  let lastId = 0
  const send = (method: string, params = {}) =>
    new Promise<Reply['result']>(resolve => {
      waiting.set(++lastId, resolve)
      socket.send(JSON.stringify({ id: lastId, method, params }))
    })
  await send('HeapProfiler.enable')
  for (let turn = 0; turn < 3; turn++) await send('HeapProfiler.collectGarbage')
  const samples: Held[] = []
  for (let sample = 0; sample < 10; sample++) {
    samples.push(await ask())
    await sleep(100)
  }
  socket.close()
  // The local host polls the queue over a connection of its own, which is no part of the app.
  return { heapBytes: samples[0]?.heapBytes ?? 0, sockets: Math.min(...samples.map(({ sockets }) => sockets)) }

  async function ask(): Promise<Held> {
    const { result } = await send('Runtime.evaluate', { expression: question, returnByValue: true })
    if (result?.value === undefined) throw new Error('The process does not tell what it holds')
    return result.value
  }
}
