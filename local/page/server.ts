import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { isLoopback } from '../../shared/formats/loopback.ts'
import type { ListedCases } from '../simulator/listed-cases.ts'
import type { LiveOrders } from '../simulator/live-orders.ts'
import type { StoredFiles } from '../start/stored-files.ts'

export type PageOptions = {
  /** The running services, by name. */
  services: () => { name: string; value: string }[]
  /** The customer that is selected first. */
  customerTenantId: string
  /** The function key, if the host requires one. */
  key?: string | undefined
  cases: ListedCases
  orders: LiveOrders
  files: StoredFiles
}

const ownFiles = fileURLToPath(new URL('./static/', import.meta.url))
const viewerFiles = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))

/** All files that are served. The viewer comes from its package, so that the page needs no internet. */
const served: Record<string, string> = {
  '/': join(ownFiles, 'index.html'),
  '/reference': join(ownFiles, 'reference.html'),
  '/favicon.ico': join(ownFiles, 'icon.svg'),
  ...Object.fromEntries(
    [
      'page.css',
      'page.js',
      'requests.js',
      'snapshot.js',
      'simulation.js',
      'elements.js',
      'reference.js',
      'reference.css',
      'icon.svg',
    ].map(name => [`/page/${name}`, join(ownFiles, name)]),
  ),
  ...Object.fromEntries(
    ['swagger-ui.css', 'swagger-ui-bundle.js'].map(name => [`/page/viewer/${name}`, join(viewerFiles, name)]),
  ),
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ico': 'image/svg+xml',
}

/** With this policy, the browser connects only to this machine. The viewer sets styles on its elements. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The page shows only the newest changes of the list. */
const shownChanges = 8

const switchChangesSchema = z.object({ isOn: z.boolean() })
const listCaseSchema = z.object({ digits: z.number().int(), isListed: z.boolean() })

/**
 * The page of `npm start`, and its requests about the simulator and the storage. The server responds only on loopback.
 */
export function createPageServer(options: PageOptions): Server {
  const { orders, cases, files } = options

  const state = () => ({
    services: options.services(),
    customerTenantId: options.customerTenantId,
    ...(options.key === undefined ? {} : { key: options.key }),
    orders: {
      isOn: orders.isOn(),
      everySeconds: orders.everySeconds,
      count: orders.changes.length,
      newest: orders.changes.slice(-shownChanges).reverse(),
    },
    cases: cases.all(),
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A site whose name resolves to this machine must not read anything or change anything here.
    if (!isLoopback((request.headers.host ?? '').replace(/:\d+$/, ''))) return end(response, 403)
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    if (request.method === 'POST') return change(pathname, request, response)
    if (request.method !== 'GET') return end(response, 405)
    const file = served[pathname]
    if (file !== undefined) return sendFile(response, file)
    if (pathname === '/local/state') return sendJson(response, state())
    if (pathname === '/local/files') return sendJson(response, await files.list(searchParams.get('prefix') ?? ''))
    const name = /^\/local\/files\/(.+)$/.exec(pathname)?.[1]
    if (name === undefined) return end(response, 404)
    await sendStored(response, decodeURIComponent(name))
  }

  async function change(pathname: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origin, host } = request.headers
    if (origin !== undefined && origin !== `http://${host}`) return end(response, 403)
    const body: unknown = JSON.parse(Buffer.concat(await request.toArray()).toString())
    if (pathname === '/local/orders') orders.setOn(switchChangesSchema.parse(body).isOn)
    else if (pathname === '/local/orders/change') orders.change()
    else if (pathname === '/local/cases') {
      const { digits, isListed } = listCaseSchema.parse(body)
      if (!cases.list(digits, isListed)) return end(response, 404)
    } else return end(response, 404)
    sendJson(response, state())
  }

  async function sendStored(response: ServerResponse, name: string): Promise<void> {
    const text = await files.readText(name)
    if (text === undefined) return end(response, 404)
    const type = name.endsWith('.html') ? 'text/html' : 'text/plain'
    // A report is a separate page without scripts.
    response.writeHead(200, {
      'content-type': `${type}; charset=utf-8`,
      'content-security-policy': `sandbox; ${policy}`,
    })
    response.end(text)
  }

  return createServer((request, response) => {
    handle(request, response).catch(error => {
      if (response.headersSent) return response.destroy()
      end(
        response,
        error instanceof z.ZodError || error instanceof SyntaxError || error instanceof URIError ? 400 : 500,
      )
    })
  })
}

const end = (response: ServerResponse, status: number): void => {
  response.writeHead(status, { 'content-length': 0 }).end()
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body))
}

async function sendFile(response: ServerResponse, file: string): Promise<void> {
  const headers = {
    'content-type': types[extname(file)] ?? 'application/octet-stream',
    'content-security-policy': policy,
    'cache-control': 'no-cache',
  }
  if (file.startsWith(ownFiles)) response.writeHead(200, headers).end(await readFile(file))
  else
    createReadStream(file)
      .once('error', () => end(response, 500))
      .once('open', () => response.writeHead(200, headers))
      .pipe(response)
}
