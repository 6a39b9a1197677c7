import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions'
import { type App, getApp } from '../../app.ts'
import { lazy } from '../../runtime/lazy.ts'
import { createLog, describeError, type Log } from '../../runtime/log.ts'
import { type OperationContext, timeLimit, withDeadline } from '../../runtime/operation.ts'
import type * as parameterModule from '../parameters/parameters.ts'
import type { Parameters } from '../parameters/parameters.ts'
import { correlationIdOf } from './correlation.ts'
import { errorResponse, toKnownError } from './error-response.ts'
import { withReadyResponse } from './ready-response.ts'

type RouteContext = { app: App; operation: OperationContext; request: HttpRequest }

type Route<Values, Modules> = {
  /** Selects the parameters of the function. The first call loads their module. */
  parameters: (module: typeof parameterModule) => Parameters<Values>
  /**
   * Loads the modules of `handle` with the first call. `import()` takes time at each call, even for a loaded module.
   */
  modules?: () => Promise<Modules>
  handle: (input: Values, context: RouteContext, modules: NoInfer<Modules>) => Promise<HttpResponseInit>
}

/** The deadline of functions that work without settings. */
const defaultDeadlineSeconds = 100

type Handler = (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>

type Handle = (request: HttpRequest, context: RouteContext) => Promise<HttpResponseInit>

/** An HTTP function with parameters. They are parsed and checked before `handle` gets them. */
export function route<Values, Modules = undefined>({ parameters, modules, handle }: Route<Values, Modules>): Handler {
  const load = lazy(async () => {
    const [{ readInput }, module, loaded] = await Promise.all([
      import('../parameters/input.ts'),
      import('../parameters/parameters.ts'),
      modules?.() as Promise<Modules>,
    ])
    const chosen = parameters(module)
    return (request: HttpRequest, context: RouteContext) =>
      readInput(request, chosen).then(input => handle(input, context, loaded))
  })
  return serve(
    async app => (await app.settings()).deadlineSeconds,
    async (request, context) => (await load())(request, context),
  )
}

/** An HTTP function that needs neither parameters nor settings. */
export const routeWithoutParameters = (handle: Handle): Handler => serve(async () => defaultDeadlineSeconds, handle)

/**
 * Wraps every HTTP function. Enforces the deadline, and turns every failure into a response, because the response of a
 * handler that throws has no body. Writes one log line per request.
 */
function serve(deadlineSeconds: (app: App) => Promise<number>, handle: Handle): Handler {
  return async (request, context) => {
    const startedAt = performance.now()
    const correlationId = correlationIdOf(request.headers)
    const log = requestLog(request, context, correlationId)
    let response: HttpResponseInit
    try {
      const app = getApp()
      const limit = timeLimit(app.clock, await deadlineSeconds(app))
      response = await withDeadline(app.clock, limit, deadline =>
        handle(request, { app, request, operation: { correlationId, deadline, log } }),
      )
      log('info', 'request', { status: response.status, ms: elapsed(startedAt) })
    } catch (thrown) {
      const error = toKnownError(thrown)
      response = errorResponse(error, new URL(request.url).pathname, correlationId)
      log(error.status >= 500 || error.status === 424 ? 'error' : 'warn', 'request', {
        status: error.status,
        ms: elapsed(startedAt),
        code: error.code,
        why: describeError(error),
        upstream: error.options.upstream,
        ...(error.code === 'internal_error' ? { stack: stackOf(thrown) } : {}),
      })
    }
    return withReadyResponse({
      ...response,
      headers: { ...(response.headers as Record<string, string>), 'x-correlation-id': correlationId },
    })
  }
}

const elapsed = (startedAt: number): number => Math.round(performance.now() - startedAt)

const stackOf = (error: unknown): string | undefined =>
  error instanceof Error ? error.stack?.slice(0, 4000) : undefined

function requestLog(request: HttpRequest, context: InvocationContext, correlationId: string): Log {
  const workflowRunId = request.headers.get('x-ms-workflow-run-id')
  return createLog(context, {
    function: context.functionName,
    correlationId,
    ...(workflowRunId === null ? {} : { workflowRunId: workflowRunId.slice(0, 128) }),
  })
}
