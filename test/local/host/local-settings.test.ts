import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { root } from '../../../local/build/bundle.ts'
import { parseLocalSettings } from '../../../local/host/local-settings.ts'
import { readSettings } from '../../../shared/settings.ts'

test('the sample has every required setting, and only settings of the app', async () => {
  const values = parseLocalSettings(await readFile(`${root}local.settings.sample.json`, 'utf8'))
  expect(await readSettings(values)).toMatchObject({ cloud: 'global', credential: 'secret' })
  const { KEY_VAULT_URI: _, ...without } = values
  await expect(readSettings(without)).rejects.toThrow('KEY_VAULT_URI')
})

test('a byte-order mark and a file without values are valid', () => {
  expect(parseLocalSettings('\uFEFF{"Values":{"A":"1"}}')).toEqual({ A: '1' })
  expect(parseLocalSettings('{"IsEncrypted":false}')).toEqual({})
})

test.each(['{"Values":', '{"Values":{"A":1}}', '[]'])('%s is reported as a fault of the file', text => {
  expect(() => parseLocalSettings(text)).toThrow(
    /^local\.settings\.json cannot be read \(.+local\.settings\.sample\.json/,
  )
})
