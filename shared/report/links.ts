/**
 * Addresses of the API for the links of a report. Without a base they begin with a slash, and the browser adds the
 * host.
 */
export type ReportLinks = {
  orders: (customerTenantId: string) => string
  snapshot: (snapshotId: string) => string
  report: (snapshotId: string) => string
  lines: string
}

/** The route prefix is the one in host.json. */
export const createLinks = (base: string): ReportLinks => ({
  orders: customerTenantId => `${base}/api/customers/${encodeURIComponent(customerTenantId.toWellFormed())}/orders`,
  snapshot: snapshotId => `${base}/api/snapshots/${snapshotId}`,
  report: snapshotId => `${base}/api/snapshots/${snapshotId}/report`,
  lines: `${base}/api/order-lines?format=csv`,
})
