/** Runs at most `size` pieces of work at a time, across all callers. */
export type Limit = <T>(work: () => Promise<T>) => Promise<T>

export function createLimit(size: number): Limit {
  let free = size
  const waiting: (() => void)[] = []
  return async work => {
    if (free > 0) free--
    else await new Promise<void>(resolve => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  }
}

/**
 * Starts `work` for item after item and yields the results in the order of the items. At most `ahead` results are in
 * progress or not yet consumed, which limits their memory.
 */
export async function* inOrder<T, U>(
  items: readonly T[],
  ahead: number,
  work: (item: T) => Promise<U>,
): AsyncGenerator<U> {
  const started: Promise<U>[] = []
  let next = 0
  const startMore = () => {
    for (; next < items.length && started.length < ahead; next++) {
      const result = work(items[next] as T)
      // After a failure, nobody awaits the later results. An unhandled rejection would end the worker.
      result.catch(() => undefined)
      started.push(result)
    }
  }
  startMore()
  for (let result = started.shift(); result !== undefined; result = started.shift()) {
    const value = await result
    startMore()
    yield value
  }
}
