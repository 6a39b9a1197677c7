import { request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { FunctionMetadata, RpcData, RpcHttp } from '../../local/host/core.ts'
import { createHttpServer, type HttpOptions } from '../../local/host/http.ts'
import { httpRoutes } from '../../local/host/routes.ts'

export const httpFunction = (
  name: string,
  route: string | undefined,
  methods = ['GET'],
  authLevel = 'anonymous',
): FunctionMetadata => ({
  name,
  bindings: {
    trigger: {
      name: 'request',
      type: 'httpTrigger',
      direction: 'in',
      methods,
      authLevel,
      ...(route === undefined ? {} : { route }),
    },
    $return: { name: '$return', type: 'http', direction: 'out' },
  },
})

const timer: FunctionMetadata = {
  name: 'a-timer',
  bindings: { timer: { name: 'timer', type: 'timerTrigger', direction: 'in' } },
}

const functions = [
  httpFunction('zz-rest', '{*path}', ['GET', 'POST', 'DELETE']),
  httpFunction('orders', 'customers/{customer}/Orders', ['get', 'POST'], 'function'),
  httpFunction('order', 'customers/{customer}/orders/{order}'),
  httpFunction('customers', 'customers'),
  httpFunction('named', undefined),
  httpFunction('changes', 'changes/{kind?}'),
  timer,
]

export const routes = httpRoutes(functions, 'api')

export type Invocation = { name: string; http: RpcHttp | undefined }

/** A server on loopback whose functions all return the same, and their invocations. */
export async function serve(
  options: Partial<HttpOptions> = {},
  returned: { value: RpcData } = { value: { http: {} } },
) {
  const invocations: Invocation[] = []
  const server = createHttpServer({
    app: {
      functions: new Map(),
      runHooks: async () => undefined,
      invoke: async (name, trigger) => {
        invocations.push({ name, http: trigger?.http })
        return returned.value
      },
    },
    routes,
    startByHand: () => false,
    ...options,
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    const closed = new Promise(resolve => server.close(resolve))
    server.closeAllConnections()
    await closed
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, invocations }
}

/** Sends an unchanged path, which `fetch` would normalize. */
export const raw = (
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    send({ port, host: '127.0.0.1', path, headers }, async response => {
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(await response.toArray()).toString() })
    })
      .on('error', reject)
      .end()
  })

export const bodyless = async (response: Response) => ({ status: response.status, text: await response.text() })
