import { type Browser, chromium } from 'playwright-core'
import { programs } from './programs.ts'

/** The installed Chromium, headless. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: programs.chromium ?? '',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
