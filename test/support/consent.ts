import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../../local/build/bundle.ts'
import { type Running, runNode } from '../../local/processes/run-node.ts'
import type { Simulator } from '../../local/simulator/simulator.ts'

export type ConsentRun = { running: Running; signInUrl: string; ended: Promise<number | null> }

/** Starts the script of `npm run consent` and waits until it has printed the sign-in address. */
export async function startConsent(simulator: Simulator, settings: Record<string, string> = {}): Promise<ConsentRun> {
  const certificate = join(await mkdtemp(join(tmpdir(), 'consent-')), 'simulator.pem')
  await writeFile(certificate, simulator.certificate)
  const running = await runNode(
    [`${root}local/run.js`, 'consent'],
    lines => lines.some(line => line.includes('oauth2/v2.0/authorize')),
    {
      env: {
        PATH: process.env.PATH,
        CONSENT_PORT: '0',
        ...simulator.settings,
        NODE_EXTRA_CA_CERTS: certificate,
        ...settings,
      },
    },
  )
  const signInUrl = running.lines.find(line => line.includes('oauth2/v2.0/authorize'))?.trim() ?? ''
  const ended = new Promise<number | null>(resolve => running.process.once('exit', resolve))
  return { running, signInUrl, ended }
}
