/**
 * Forms of the secrets that the simulator and the storage emulator give out. Nothing that the app prints may hold one, so
 * that every test that starts it searches its output (`startHostProcess`).
 */
const forms: readonly [string, RegExp][] = [
  ['a client secret', /simulated-client-secret/],
  ['an access token', /simulated-[0-9a-f]{8}-[0-9a-f]{4}/],
  ['a refresh token', /1\.A[\w-]{40}/],
  ['the key of the storage emulator', /Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1/],
  ['a private key', /PRIVATE KEY/],
  ['a signature of a storage link', /[?&]sig=[^[]/],
]

/** The names of the secrets in a text. */
export const secretsIn = (text: string): string[] => forms.flatMap(([name, form]) => (form.test(text) ? [name] : []))

/** Fails with the line that holds a secret, which is itself not repeated. */
export function assertNoSecrets(lines: readonly string[]): void {
  for (const [at, line] of lines.entries()) {
    const found = secretsIn(line)
    if (found.length > 0) throw new Error(`Line ${at + 1} of the output holds ${found.join(' and ')}`)
  }
}
