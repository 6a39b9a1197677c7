import { randomUUID } from 'node:crypto'
import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { generate } from 'selfsigned'
import { clouds } from '../../shared/clouds.ts'
import { createEntra, type Entra } from './entra.ts'
import { createKeyVault, type KeyVault } from './key-vault.ts'
import { createPartnerCenter, type PartnerCenter } from './partner-center.ts'
import { record, sendJson } from './recorder.ts'
import { guidOf, type SampleOptions, sampleCustomers } from './sample-data.ts'

export type Simulator = {
  /** The address over TLS, with a throwaway certificate. */
  url: string
  /** The address over plain HTTP, for benchmarks and for settings that allow it on loopback. */
  plainUrl: string
  /** The certificate to trust, for `NODE_EXTRA_CA_CERTS`. */
  certificate: string
  /** Settings that connect an app to this simulator. */
  settings: Record<string, string>
  entra: Entra
  keyVault: KeyVault
  partnerCenter: PartnerCenter
  stop: () => Promise<void>
}

type SimulatorOptions = Partial<SampleOptions> & {
  port?: number
  /** The clock of tokens and secrets, in milliseconds since 1970 UTC. */
  now?: () => number
}

const clientSecret = 'simulated-client-secret~for.this-machine'

/**
 * Partner Center, Entra ID, Key Vault and the managed-identity endpoint on loopback. The app calls them through its
 * real SDKs, without code for the simulator.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { port = 0, now = Date.now, customers = 40, ...sample } = options
  const { cert, private: key } = await generate([{ name: 'commonName', value: `Simulator ${randomUUID()}` }], {
    keyType: 'ec',
    notAfterDate: new Date(Date.now() + 7 * 86_400_000),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, digitalSignature: true, critical: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  let url = ''
  const entra = createEntra(guidOf('partner tenant'), guidOf('partner app'), clientSecret, now)
  const keyVault = createKeyVault(entra, () => url, now)
  keyVault.store('partner-center-client-secret', clientSecret)
  const partnerCenter = createPartnerCenter(
    entra,
    sampleCustomers({ customers, ...sample }),
    clouds.global.audience,
    now,
  )

  const listener: RequestListener = async (incoming, response) => {
    const exchange = { request: await record(incoming), response }
    if (await partnerCenter.serve(exchange)) return
    if (keyVault.serve(exchange) || entra.serve(exchange)) return
    sendJson(response, 404, { error: 'nothing here' })
  }
  const tls = createTlsServer({ cert, key }, listener)
  const plain = createPlainServer(listener)
  const [tlsPort, plainPort] = await Promise.all([listen(tls, port), listen(plain, 0)])
  url = `https://127.0.0.1:${tlsPort}`

  return {
    url,
    plainUrl: `http://127.0.0.1:${plainPort}`,
    certificate: cert,
    settings: {
      PARTNER_CENTER_TENANT_ID: entra.tenantId,
      PARTNER_CENTER_CLIENT_ID: entra.clientId,
      PARTNER_CENTER_BASE_URL: url,
      AZURE_AUTHORITY_HOST: url,
      KEY_VAULT_URI: url,
      IDENTITY_ENDPOINT: `${url}/msi/token`,
      IDENTITY_HEADER: entra.identityHeader,
    },
    entra,
    keyVault,
    partnerCenter,
    stop: async () => {
      await Promise.all([close(tls), close(plain)])
    },
  }
}

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })

const close = (server: Server): Promise<void> =>
  new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
