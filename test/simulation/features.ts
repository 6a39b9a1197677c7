import type { Settings } from '../../shared/settings.ts'
import { readSettings } from '../../shared/settings.ts'
import type { Random } from './random.ts'

const minuteMs = 60_000

/** The properties of a world: size, clocks and settings. */
export type Features = {
  customers: number
  isTroubled: boolean
  /** True if a run may not be complete before it is overdue. */
  isTooSlow: boolean
  workers: number
  /** How far the clock of each worker is ahead, in milliseconds. */
  skewMs: () => number
  isSkewed: boolean
  /** How long a message of a dead worker stays hidden from others. */
  leaseMs: number
  overdueMinutes: number
  pageSize: number
  requestsPerMinute: number
  concurrency: number
  /** Settings with and without `SNAPSHOT_CUSTOMERS`. */
  settingsFor: (customerTenantIds: readonly string[]) => Promise<Settings>
}

const defaultOverdueMinutes = 60

export function chooseFeatures(random: Random): Features {
  const isSkewed = random.chance(0.4)
  // Runs that take longer than allowed, and must be ended.
  const isSlow = random.chance(0.03)
  const overdueMinutes = isSlow ? 5 : random.pick([undefined, 20, 45])
  const requestsPerMinute = isSlow ? 1 : random.pick([4, 12, 30, 120])
  const customers = isSlow || random.chance(0.15) ? random.between(20, 40) : random.between(3, 12)
  // The time for list and customers at the rate limit, and for clocks that make each other wait.
  const neededMinutes = (2 * customers) / requestsPerMinute + (isSkewed ? 12 : 0)
  const concurrency = random.pick([1, 2, 5])
  const customersPerPart = random.between(1, 5)
  return {
    isTooSlow: (overdueMinutes ?? defaultOverdueMinutes) < neededMinutes,
    customers,
    isTroubled: random.chance(0.6),
    workers: random.between(2, 4),
    isSkewed,
    skewMs: () => (isSkewed ? random.between(-5 * minuteMs, 5 * minuteMs) : 0),
    leaseMs: random.pick([30_000, 10 * minuteMs]),
    overdueMinutes: overdueMinutes ?? defaultOverdueMinutes,
    pageSize: random.between(2, 10),
    requestsPerMinute,
    concurrency,
    settingsFor: customerTenantIds =>
      readSettings({
        PARTNER_CENTER_TENANT_ID: '11111111-1111-4111-8111-111111111111',
        PARTNER_CENTER_CLIENT_ID: '22222222-2222-4222-8222-222222222222',
        KEY_VAULT_URI: 'https://vault.example',
        PARTNER_CENTER_BASE_URL: 'http://127.0.0.1:1',
        AzureWebJobsStorage: 'UseDevelopmentStorage=true',
        PARTNER_CENTER_REQUESTS_PER_MINUTE: String(requestsPerMinute),
        PARTNER_CENTER_CONCURRENCY: String(concurrency),
        SNAPSHOT_CUSTOMERS_PER_PART: String(customersPerPart),
        ...(overdueMinutes === undefined ? {} : { SNAPSHOT_OVERDUE_MINUTES: String(overdueMinutes) }),
        ...(customerTenantIds.length === 0 ? {} : { SNAPSHOT_CUSTOMERS: customerTenantIds.join() }),
      }),
  }
}

/** `SNAPSHOT_CUSTOMERS` of a world. A new version can set or clear it. */
export function createConfigured(random: Random, now: () => number) {
  let isOn = random.chance(0.1)
  let until = isOn ? now() : 0
  return {
    isOn: () => isOn,
    /** True if it was set at some time since then. */
    wasOn: (from: number) => isOn || until >= from,
    toggle() {
      if (isOn) until = now()
      isOn = !isOn
    },
  }
}
