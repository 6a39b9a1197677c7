import { glob, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from '../../local/build/bundle.ts'
import { packageTarget } from '../../local/build/package.ts'

const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8')
const azure = await read('azure.yaml')

/** The value after `key:` in azure.yaml. */
const settingOf = (key: string): string | undefined => new RegExp(`^\\s*${key}: *(.+)$`, 'm').exec(azure)?.[1]

describe('azure.yaml', () => {
  test('azure.yaml deploys the folder of the package step unchanged', async () => {
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> }
    expect(scripts.package).toBe('node local/run.js package')
    expect(settingOf('run')).toBe('npm run package')
    expect(settingOf('remoteBuild')).toBe('false')
    expect(settingOf('host')).toBe('function')
    expect(join(root, settingOf('project') ?? '', settingOf('dist') ?? '')).toBe(join(packageTarget, 'package'))
  })

  test('azure.yaml finds the app by the tag of the template', async () => {
    const services = /^services:\n {2}(\w+):/m.exec(azure)?.[1]
    for (const module of ['app-flex', 'app-classic']) {
      expect(await read(`infra/modules/${module}.bicep`)).toContain(`'azd-service-name': '${services}'`)
    }
  })

  test('azure.yaml names the existing template', async () => {
    expect(await readdir(join(root, settingOf('path') ?? ''))).toContain(`${settingOf('module')}.bicep`)
  })
})

describe('the templates', () => {
  test('the templates take no module from a registry', async () => {
    const files = await Array.fromAsync(glob('infra/{*,modules/*}.bicep', { cwd: root }))
    const texts = await Promise.all(files.map(read))
    const sources = texts.flatMap(text =>
      [...text.matchAll(/^(?:module \w+|import .*? from) '([^']+)'/gm)].map(([, from]) => from),
    )
    expect(sources.length).toBeGreaterThan(15)
    expect(sources.filter(from => !/^(modules\/)?[\w-]+\.bicep$/.test(from ?? ''))).toEqual([])
  })

  test('the templates treat lint findings as errors', async () => {
    const { analyzers } = JSON.parse(await read('infra/bicepconfig.json')) as {
      analyzers: { core: { enabled: boolean; rules: Record<string, { level: string }> } }
    }
    expect(analyzers.core.enabled).toBe(true)
    expect(Object.keys(analyzers.core.rules).length).toBeGreaterThan(30)
    expect(new Set(Object.values(analyzers.core.rules).map(({ level }) => level))).toEqual(new Set(['error']))
  })
})
