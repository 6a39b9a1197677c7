// Preloaded in a host that runs at another date. It shifts the clock by LOCAL_CLOCK_SHIFT_MS milliseconds.
const shiftMs = Number(process.env.LOCAL_CLOCK_SHIFT_MS)
const RealDate = Date

globalThis.Date = class extends RealDate {
  constructor(...values: [] | ConstructorParameters<typeof Date>) {
    if (values.length === 0) super(RealDate.now() + shiftMs)
    else super(...values)
  }

  static override now(): number {
    return RealDate.now() + shiftMs
  }
} as DateConstructor
