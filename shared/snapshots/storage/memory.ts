/** Keeps the last `size` values that were read. It is only for values that never change in storage. */
export function createMemory<T>(size: number) {
  const kept = new Map<string, T>()
  return async <U extends T | undefined>(key: string, read: () => Promise<U>): Promise<U> => {
    const known = kept.get(key)
    if (known !== undefined) {
      kept.delete(key)
      kept.set(key, known)
      return known as U
    }
    const value = await read()
    if (value === undefined) return value
    kept.set(key, value)
    const [oldest] = kept.keys()
    if (kept.size > size && oldest !== undefined) kept.delete(oldest)
    return value
  }
}
