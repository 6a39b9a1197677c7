export const dayMs = 86_400_000

/** The date in UTC of a time in milliseconds since 1970 UTC, such as `2026-11-20`. */
export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)
