/** What a person can put right: said in one sentence that names the way out, without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
