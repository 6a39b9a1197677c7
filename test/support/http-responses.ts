import { expect } from 'vitest'

/** A collection of orders in Partner Center's own form. */
export type Collection = {
  totalCount: number
  items: Record<string, unknown>[]
  links: Record<string, unknown>
  attributes: unknown
}

/** The body of a failure. */
export type Problem = {
  status: number
  error: { code: string; message: string; target?: string; details?: { target: string }[] }
  correlationId: string
  retryable: boolean
  instance: string
  type: string
  title: string
  detail: string
}

export type Page<T> = { value: T[]; nextLink?: string }

/** Follows the links of a list from `url` on, and returns the elements of each page. */
export async function readPages<T>(url: string, headers: Record<string, string> = {}): Promise<T[][]> {
  const all: T[][] = []
  for (let next: string | undefined = url; next !== undefined; ) {
    const response = await fetch(next, { headers })
    expect(response.status).toBe(200)
    const page = (await response.json()) as Page<T>
    all.push(page.value)
    next = page.nextLink
  }
  return all
}
