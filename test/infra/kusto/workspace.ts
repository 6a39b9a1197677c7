import { createRequire } from 'node:module'

/** The part of Microsoft's Kusto language service that the tests use. It is C# compiled to JavaScript. */
type Diagnostic = { Severity: string; Message: string; Start: number }
type DiagnosticList = { Count: number; getItem: (index: number) => Diagnostic }
type Table = { WithName: (name: string) => Table }
type Globals = { WithDatabase: (database: object) => Globals }
type KustoLanguage = {
  KustoCode: { ParseAndAnalyze: (text: string, globals: Globals) => { GetDiagnostics: () => DiagnosticList } }
  GlobalState: { Default: Globals }
  Symbols: {
    TableSymbol: { From: (schema: string) => Table }
    DatabaseSymbol: { ctor: new (name: string, tables: Table[]) => object }
  }
}

/** The package defines global names and exports nothing. */
function loadKusto(): KustoLanguage {
  const require = createRequire(import.meta.url)
  require('@kusto/language-service-next/bridge.min.js')
  require('@kusto/language-service-next/Kusto.Language.Bridge.min.js')
  const { Kusto } = globalThis as unknown as { Kusto: { Language: KustoLanguage } }
  return Kusto.Language
}

/** The columns of both tables. */
const common = {
  string: [
    ...['AppRoleInstance', 'AppRoleName', 'AppVersion', 'ClientBrowser', 'ClientCity', 'ClientCountryOrRegion'],
    ...['ClientIP', 'ClientModel', 'ClientOS', 'ClientStateOrProvince', 'ClientType', 'IKey', 'OperationId'],
    ...['OperationName', 'ParentId', 'ResourceGUID', 'SDKVersion', 'SessionId', 'SourceSystem', 'SyntheticSource'],
    ...['TenantId', 'Type', 'UserAccountId', 'UserAuthenticatedId', 'UserId', '_IsBillable', '_ResourceId'],
    '_SubscriptionId',
  ],
  int: ['ItemCount'],
  real: ['_BilledSize'],
  dynamic: ['Measurements', 'Properties'],
  datetime: ['TimeGenerated'],
}

/** The documented columns (learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces and apprequests). */
const tables: Record<string, Record<string, string[]>> = {
  AppTraces: {
    ...common,
    string: [...common.string, 'Message', 'ReferencedItemId', 'ReferencedType'],
    int: [...common.int, 'SeverityLevel'],
  },
  AppRequests: {
    ...common,
    string: [...common.string, 'Id', 'Name', 'PerformanceBucket', 'ResultCode', 'Source', 'Url'],
    real: [...common.real, 'DurationMs'],
    bool: ['Success'],
  },
}

/** A Log Analytics workspace for the language service, which parses and binds a query and returns its faults. */
export function createWorkspace(): { faultsOf: (query: string) => string[] } {
  const { KustoCode, GlobalState, Symbols } = loadKusto()
  const symbols = Object.entries(tables).map(([name, columns]) => {
    const schema = Object.entries(columns).flatMap(([type, names]) => names.map(column => `${column}:${type}`))
    return Symbols.TableSymbol.From(`(${schema.join(', ')})`).WithName(name)
  })
  const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('workspace', symbols))
  return {
    faultsOf(query) {
      const found = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics()
      return Array.from({ length: found.Count }, (_, index) => {
        const { Severity, Message, Start } = found.getItem(index)
        const line = query.slice(0, Start).split('\n').length
        return `line ${line}: ${Severity}: ${Message}`
      })
    },
  }
}
