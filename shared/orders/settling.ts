/**
 * Orders younger than this can be missing from a response of Partner Center
 * (learn.microsoft.com/partner-center/developer/get-all-of-a-customer-s-orders).
 */
export const settlingMs = 15 * 60 * 1000
