import type { AddressInfo } from 'node:net'
import { createPageServer, type PageOptions } from '../page/server.ts'
import { documentedCustomerId } from '../simulator/sample-data.ts'
import { openStoredFiles } from './stored-files.ts'

type Options = Omit<PageOptions, 'files' | 'customerTenantId'> & { storage: string; container: string }

/** Starts the server of the page on its own port. The host passes addresses without a function to it. */
export async function startPage({
  storage,
  container,
  ...options
}: Options): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = createPageServer({
    ...options,
    customerTenantId: documentedCustomerId,
    files: openStoredFiles(storage, container),
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
