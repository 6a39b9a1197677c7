/** A failure that the user can fix. It is printed as one sentence with the fix, without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
