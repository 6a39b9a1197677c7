import { Module } from 'node:module'
import { pathToFileURL } from 'node:url'

/**
 * The module `@azure/functions-core` that the Node worker supplies to an app: the registry for `app.http` and the other
 * triggers, and the hooks. It has only the parts that this app's library calls.
 */
export type Binding = { name: string; type: string; direction: string; [setting: string]: unknown }

export type RetryOptions = {
  retryStrategy?: string
  maxRetryCount?: number
  delayInterval?: { seconds?: number }
  minimumInterval?: { seconds?: number }
  maximumInterval?: { seconds?: number }
}

export type FunctionMetadata = { name: string; bindings: Record<string, Binding>; retryOptions?: RetryOptions }

export type RpcData = { bytes?: Uint8Array; string?: string; json?: string; http?: RpcHttp } | null | undefined

export type RpcHttp = {
  method?: string
  url?: string
  statusCode?: string
  headers?: Record<string, string>
  params?: Record<string, string>
  query?: Record<string, string>
  body?: RpcData
}

type InvocationModel = {
  getArguments: () => Promise<{ context: unknown; inputs: unknown[] }>
  invokeFunction: (context: unknown, inputs: unknown[], handler: Handler) => Promise<unknown>
  getResponse: (context: unknown, result: unknown) => Promise<{ returnValue?: RpcData }>
}

type Handler = (...args: unknown[]) => unknown
type Hook = (context: Record<string, unknown>) => unknown

type ProgrammingModel = { getInvocationModel: (context: Record<string, unknown>) => InvocationModel }

export type WriteLog = (level: string, category: string, message: string) => void

export type LoadedApp = {
  functions: ReadonlyMap<string, FunctionMetadata>
  /** Runs one function with the data of its trigger. Returns its result, which the library converts. */
  invoke: (name: string, trigger: RpcData, metadata?: Record<string, RpcData>) => Promise<RpcData>
  runHooks: (name: 'appStart' | 'appTerminate') => Promise<void>
}

/** Loads a built entry like the worker, which supplies `@azure/functions-core` to its `require`. */
export async function loadApp(entry: string, writeLog: WriteLog): Promise<LoadedApp> {
  const functions = new Map<string, FunctionMetadata>()
  const handlers = new Map<string, Handler>()
  const hooks = new Map<string, Hook[]>()
  let model: ProgrammingModel | undefined
  let started = false

  const core = {
    version: '4.0.0-local',
    hostVersion: '4.1000.0',
    registerFunction(metadata: FunctionMetadata, handler: Handler) {
      if (started) throw new Error('A function can only be registered during app startup.')
      if (functions.has(metadata.name))
        throw new Error(`A function with name "${metadata.name}" has already been registered.`)
      functions.set(metadata.name, metadata)
      handlers.set(metadata.name, handler)
      return { dispose() {} }
    },
    registerHook(name: string, hook: Hook) {
      hooks.set(name, [...(hooks.get(name) ?? []), hook])
      return { dispose() {} }
    },
    setProgrammingModel(given: ProgrammingModel) {
      model = given
    },
    getProgrammingModel: () => model,
    log: writeLog,
    Disposable: class {},
  }

  const original = Module.prototype.require
  Module.prototype.require = Object.assign(function (this: Module, id: string) {
    return id === '@azure/functions-core' ? core : original.call(this, id)
  }, original)
  try {
    await import(pathToFileURL(entry).href)
  } finally {
    Module.prototype.require = original
  }
  started = true

  let invocations = 0
  return {
    functions,
    async invoke(name, trigger, triggerMetadata = {}) {
      const metadata = functions.get(name)
      const handler = handlers.get(name)
      const triggerBinding = Object.values(metadata?.bindings ?? {}).find(({ type }) => /trigger$/i.test(type))
      if (metadata === undefined || handler === undefined || triggerBinding === undefined || model === undefined) {
        throw new Error(`There is no function ${name}.`)
      }
      const invocationId = `local-${++invocations}`
      const context = {
        invocationId,
        metadata,
        request: { invocationId, inputData: [{ name: triggerBinding.name, data: trigger }], triggerMetadata },
        state: undefined,
        log: writeLog,
      }
      const invocation = model.getInvocationModel(context)
      const { context: invocationContext, inputs } = await invocation.getArguments()
      const result = await invocation.invokeFunction(invocationContext, inputs, handler)
      return (await invocation.getResponse(invocationContext, result)).returnValue
    },
    async runHooks(name) {
      for (const hook of hooks.get(name) ?? []) await hook({ hookData: {}, appHookData: {} })
    },
  }
}
