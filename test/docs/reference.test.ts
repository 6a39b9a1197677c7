import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { root } from '../../local/build/bundle.ts'
import { errorKinds } from '../../shared/errors.ts'
import * as parameters from '../../shared/http/parameters/parameters.ts'
import { parseSettings, settingNames } from '../../shared/settings/settings-schema.ts'
import type { Environment } from '../../shared/settings.ts'
import { snapshotSchedule } from '../../shared/settings.ts'
import { codeIn, readDocument, sectionOf, tablesIn } from '../support/markdown.ts'

const page = readDocument('docs/reference.md')

/** The rows of a section's table, by the name in the first cell. */
function rowsOf(section: string, table = 0): Map<string, string[]> {
  const rows = tablesIn(sectionOf(page, section))[table] ?? []
  return new Map(rows.map(([name = '', ...cells]) => [codeIn(name)[0] ?? name, cells]))
}

describe('the settings', () => {
  const rows = rowsOf('Settings')
  const least: Environment = {
    PARTNER_CENTER_TENANT_ID: '0aaaaaaa-0000-4000-8000-000000000001',
    PARTNER_CENTER_CLIENT_ID: '0aaaaaaa-0000-4000-8000-000000000002',
    KEY_VAULT_URI: 'https://vault.example',
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
  }

  test('the reference lists the settings of the app', () => {
    expect([...rows.keys()].toSorted()).toEqual(settingNames.toSorted())
  })

  test('the reference has a default in words only for settings without a fixed default', () => {
    expect([...rows].filter(([, [byDefault]]) => codeIn(byDefault).length === 0).map(([name]) => name)).toEqual([
      'PARTNER_CENTER_TENANT_ID',
      'PARTNER_CENTER_CLIENT_ID',
      'KEY_VAULT_URI',
      'PARTNER_CENTER_BASE_URL',
      'AZURE_AUTHORITY_HOST',
      'SNAPSHOT_CUSTOMERS',
      'SNAPSHOT_OVERDUE_MINUTES',
      'AZURE_CLIENT_ID',
    ])
  })

  test.each(
    [...rows].flatMap(([name, [byDefault]]) => codeIn(byDefault).map((value): [string, string] => [name, value])),
  )('%s is %s by default', (name, value) => {
    const withDefault = { ...least, [name]: value }
    expect(parseSettings(withDefault)).toEqual(parseSettings(least))
    expect(snapshotSchedule(withDefault)).toBe(snapshotSchedule({}))
  })

  test.each([...rows].filter(([, [byDefault]]) => byDefault === 'required').map(([name]) => name))(
    'the reference marks %s as required',
    name => {
      expect(() => parseSettings({ ...least, [name]: undefined })).toThrow(`${name} is required`)
    },
  )

  test.each(
    [...rows].flatMap(([name, [, meaning = '']]) => {
      const [, least, most] = /(\d+) to (\d+)$/.exec(meaning) ?? []
      return least === undefined || most === undefined ? [] : [{ name, from: Number(least), to: Number(most) }]
    }),
  )('$name goes from $from to $to', ({ name, from, to }) => {
    for (const value of [from, to]) expect(() => parseSettings({ ...least, [name]: String(value) })).not.toThrow()
    for (const value of [from - 1, to + 1]) {
      expect(() => parseSettings({ ...least, [name]: String(value) })).toThrow(`from ${from} to ${to}`)
    }
  })
})

test('the reference lists the errors of the app with their statuses', () => {
  const documented = [...rowsOf('Errors', 1)].map(([code, [status]]) => [code, Number(status)])
  const known = Object.entries(errorKinds).map(([code, { status }]) => [code, status])
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(known))
})

test('the reference lists the functions of the app', () => {
  const files = readdirSync(join(root, 'functions')).map(name => name.replace(/\.ts$/, ''))
  expect([...rowsOf('Functions').keys()].toSorted()).toEqual(files.toSorted())
})

describe('the parameters', () => {
  const rows = rowsOf('Parameters')
  const { customerOrders, customerOrder, orderLines, customers, orderChanges, snapshots, startSnapshot } = parameters
  const shapes = [customerOrders, customerOrder, orderLines, customers, orderChanges, snapshots].map(
    ({ query }) => query,
  )
  const shape: z.ZodRawShape = Object.assign({}, ...shapes, startSnapshot.body)

  test('the reference lists the parameters of the app', () => {
    expect([...rows.keys()].toSorted()).toEqual(Object.keys(shape).toSorted())
  })

  test('the reference lists the default of each parameter', () => {
    const defaults = Object.entries(z.object(shape).parse({})).filter(([, value]) => value !== undefined)
    const documented = [...rows].flatMap(([name, [, byDefault]]) => codeIn(byDefault).map(value => [name, value]))
    expect(Object.fromEntries(documented)).toEqual(
      Object.fromEntries(defaults.map(([name, value]) => [name, String(value)])),
    )
  })
})

test('the reference lists the scripts of package.json', () => {
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readDocument('package.json')))
  const commands = [...rowsOf('Commands').keys()].map(command => /^npm (?:run )?([\w:]+)/.exec(command)?.[1])
  expect(commands.toSorted()).toEqual(Object.keys(scripts).toSorted())
})
