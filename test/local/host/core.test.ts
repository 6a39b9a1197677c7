import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LoadedApp, loadApp } from '../../../local/host/core.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'core-'))
})
afterAll(() => rm(folder, { recursive: true }))

let entries = 0

/** Loads an entry that runs `code` with the worker's module, named `core`. */
async function load(code: string): Promise<{ app: LoadedApp; written: string[] }> {
  const written: string[] = []
  const entry = join(folder, `entry-${entries++}.cjs`)
  await writeFile(entry, `const core = require('@azure/functions-core')\n${code}`)
  const app = await loadApp(entry, (level, category, message) => written.push(`${level} ${category} ${message}`))
  return { app, written }
}

const register = (name: string, type = 'httpTrigger', handler = '() => undefined') =>
  `core.registerFunction({ name: '${name}', bindings: { out: { name: 'out', type: 'http', direction: 'out' }, in: { name: 'in', type: '${type}', direction: 'in' } } }, ${handler})\n`

/** A programming model that records what the worker passes. */
const model = `core.setProgrammingModel({
  getInvocationModel: worker => ({
    getArguments: async () => ({ context: { worker }, inputs: worker.request.inputData }),
    invokeFunction: async (context, inputs, handler) => handler(context.worker, ...inputs),
    getResponse: async (context, result) => ({ returnValue: { json: JSON.stringify(result) } }),
  }),
})\n`

describe('an entry that is loaded', () => {
  test('an entry that is loaded has its functions registered under their names', async () => {
    const { app } = await load(register('b') + register('a', 'timerTrigger'))
    expect([...app.functions.keys()]).toEqual(['b', 'a'])
    expect(app.functions.get('a')?.bindings.in).toEqual({ name: 'in', type: 'timerTrigger', direction: 'in' })
  })

  test('an entry that is loaded cannot register a name twice', async () => {
    await expect(load(register('a') + register('a'))).rejects.toThrow('"a" has already been registered')
  })

  test('an entry that is loaded cannot register anything later, as on the platform', async () => {
    const { app } = await load(`${register('a', 'httpTrigger', `() => { ${register('late')} }`)}${model}`)
    await expect(app.invoke('a', {})).rejects.toThrow('only be registered during app startup')
    expect([...app.functions.keys()]).toEqual(['a'])
  })

  test('an entry that is loaded has the worker’s versions, log and disposables', async () => {
    const { written } = await load(`
      core.log('information', 'user', core.version.split('.')[0] + ' ' + core.hostVersion.split('.')[0])
      core.log('debug', 'system', typeof new core.Disposable() + typeof core.registerHook('x', () => {}).dispose)
      core.log('debug', 'system', String(core.getProgrammingModel()))
    `)
    expect(written).toEqual(['information user 4 4', 'debug system objectfunction', 'debug system undefined'])
  })

  test('an entry that fails to load does not change require', async () => {
    await expect(load("throw new Error('broken entry')")).rejects.toThrow('broken entry')
    await load('')
    expect(() => createRequire(join(folder, 'x.cjs'))('@azure/functions-core')).toThrow(/Cannot find module/)
    expect(createRequire(join(folder, 'x.cjs'))('node:path')).toHaveProperty('join')
  })

  test('an entry that is loaded can require all other modules', async () => {
    const { written } = await load("core.log('information', 'user', require('node:path').basename('/a/b'))")
    expect(written).toEqual(['information user b'])
  })
})

describe('an invocation', () => {
  const echo =
    '(worker, input) => ({ id: worker.invocationId, input, metadata: worker.request.triggerMetadata, name: worker.metadata.name })'

  test('an invocation passes the trigger’s data to the function and returns its result', async () => {
    const { app } = await load(register('a', 'httpTrigger', echo) + model)
    const returned = await app.invoke('a', { string: 'hello' }, { DequeueCount: { json: '1' } })
    expect(JSON.parse(returned?.json ?? '')).toEqual({
      id: expect.stringMatching(/./),
      input: { name: 'in', data: { string: 'hello' } },
      metadata: { DequeueCount: { json: '1' } },
      name: 'a',
    })
  })

  test('an invocation has its own id', async () => {
    const { app } = await load(register('a', 'queueTrigger', 'worker => worker.invocationId') + model)
    const ids = await Promise.all([1, 2, 3].map(async () => (await app.invoke('a', {}))?.json))
    expect(new Set(ids).size).toBe(3)
  })

  test('an invocation fails as the function fails', async () => {
    const { app } = await load(register('a', 'httpTrigger', "() => { throw new Error('broken function') }") + model)
    await expect(app.invoke('a', {})).rejects.toThrow('broken function')
  })

  test.each([
    ['of an unknown function', register('b') + model],
    ['of a function without a trigger', register('a', 'http') + model],
    ['without a programming model', register('a')],
  ])('an invocation: %s fails', async (_, code) => {
    const { app } = await load(code)
    await expect(app.invoke('a', {})).rejects.toThrow('There is no function a.')
  })
})

describe('hooks', () => {
  test('hooks run one after the other, each at its time', async () => {
    const { app, written } = await load(`
      const hook = (name, text, wait) => core.registerHook(name, async () => {
        await wait
        core.log('information', 'hook', text)
      })
      hook('appStart', 'first', new Promise(resolve => setImmediate(resolve)))
      hook('appStart', 'second')
      hook('appTerminate', 'last')
    `)
    expect(written).toEqual([])
    await app.runHooks('appStart')
    expect(written).toEqual(['information hook first', 'information hook second'])
    await app.runHooks('appTerminate')
    expect(written).toHaveLength(3)
  })

  test('hooks that fail fail the start', async () => {
    const { app } = await load("core.registerHook('appStart', () => { throw new Error('broken hook') })")
    await expect(app.runHooks('appStart')).rejects.toThrow('broken hook')
    await app.runHooks('appTerminate')
  })
})
