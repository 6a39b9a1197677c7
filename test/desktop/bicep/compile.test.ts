import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../../../local/build/bundle.ts'
import { parameterFiles } from '../../infra/bicep/stack.ts'
import { bicep } from './compiler.ts'

/** The environment of azd for its parameter file. */
const azd = {
  PARTNER_CENTER_TENANT_ID: '00000000-0000-0000-0000-000000000001',
  PARTNER_CENTER_CLIENT_ID: '00000000-0000-0000-0000-000000000002',
}

const timeout = 60_000
/** The limit of Azure Resource Manager. */
const mostTemplateBytes = 4 * 1024 * 1024

describe('the compiler', () => {
  test('the compiler takes the template and its modules without a warning', { timeout }, async () => {
    expect(await bicep(['lint', 'infra/main.bicep'])).toEqual({ exitCode: 0, stdout: '', diagnostics: '' })
  })

  test.each(parameterFiles)('the compiler takes %s without a warning', { timeout }, async file => {
    const { exitCode, diagnostics, stdout } = await bicep(['build-params', file, '--stdout'], azd)
    expect({ exitCode, diagnostics }).toEqual({ exitCode: 0, diagnostics: '' })
    const { templateJson } = JSON.parse(stdout) as { templateJson: string }
    expect(Buffer.byteLength(templateJson)).toBeLessThan(mostTemplateBytes)
    expect(templateJson).not.toMatch(/listKeys|listAccountSas|AccountKey=/i)
  })
})

describe('a fault', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bicep-'))
    await cp(join(root, 'infra/bicepconfig.json'), join(folder, 'bicepconfig.json'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test.each([
    ['a parameter that nothing uses', 'no-unused-params', "param unused string = ''\n"],
    ['a variable that nothing uses', 'no-unused-vars', 'var unused = 1\n'],
    ['a name that nothing declares', 'BCP057', 'output value string = undeclared\n'],
  ])('a fault such as %s fails the build', { timeout }, async (_, code, text) => {
    const file = join(folder, `${code}.bicep`)
    await writeFile(file, text)
    const { exitCode, diagnostics } = await bicep(['build', file, '--stdout'])
    expect(exitCode).not.toBe(0)
    expect(diagnostics).toContain(code)
  })
})
