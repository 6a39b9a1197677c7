import type { Resource } from './deployment.ts'

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const privateDnsZone = /^(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/

/**
 * The allowed form of the last part of a name, by type
 * (learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules).
 */
const rules: Record<string, RegExp> = {
  'Microsoft.Authorization/roleAssignments': guid,
  'Microsoft.Insights/actionGroups': /^(?=.{1,260}$)[^:<>+/&%\\?|]*[^ .:<>+/&%\\?|]$/,
  'Microsoft.Insights/components': /^[\w().-]{0,259}[\w()-]$/,
  'Microsoft.Insights/diagnosticSettings': /^[\w.-]{1,260}$/,
  'Microsoft.Insights/scheduledQueryRules': /^[^*<>%&:\\?/+#|]{0,259}[^*<>%&:\\?/+#|. ]$/,
  'Microsoft.KeyVault/vaults': /^(?=.{3,24}$)(?!.*--)[a-z][a-z0-9-]*[a-z0-9]$/i,
  'Microsoft.ManagedIdentity/userAssignedIdentities': /^[a-z0-9][\w-]{2,127}$/i,
  'Microsoft.Network/privateDnsZones': privateDnsZone,
  'Microsoft.Network/privateDnsZones/virtualNetworkLinks': /^[a-z0-9]([\w.-]{0,78}\w)?$/i,
  'Microsoft.Network/privateEndpoints': /^[a-z0-9][\w.-]{0,62}\w$/i,
  'Microsoft.Network/privateEndpoints/privateDnsZoneGroups': /^[a-z0-9]([\w.-]{0,78}\w)?$/i,
  'Microsoft.Network/virtualNetworks': /^[a-z0-9][\w.-]{0,62}\w$/i,
  'Microsoft.OperationalInsights/workspaces': /^[a-z0-9][a-z0-9-]{2,61}[a-z0-9]$/i,
  'Microsoft.Resources/deployments': /^[\w().-]{1,64}$/,
  'Microsoft.Storage/storageAccounts': /^[a-z0-9]{3,24}$/,
  'Microsoft.Storage/storageAccounts/blobServices': /^default$/,
  'Microsoft.Storage/storageAccounts/blobServices/containers': /^(?=.{3,63}$)(?!.*--)[a-z0-9][a-z0-9-]*[a-z0-9]$/,
  'Microsoft.Storage/storageAccounts/managementPolicies': /^default$/,
  'Microsoft.Storage/storageAccounts/queueServices': /^default$/,
  'Microsoft.Storage/storageAccounts/queueServices/queues': /^(?=.{3,63}$)(?!.*--)[a-z0-9][a-z0-9-]*[a-z0-9]$/,
  'Microsoft.Web/customApis': /^[a-z0-9][a-z0-9-]{0,78}[a-z0-9]$/i,
  'Microsoft.Web/serverfarms': /^[a-z0-9-]{1,40}$/i,
  'Microsoft.Web/sites': /^(?=.{2,60}$)[a-z0-9][a-z0-9-]*[a-z0-9]$/i,
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': /^(ftp|scm)$/,
  'Microsoft.Web/sites/config': /^(appsettings|authsettingsV2)$/,
}

/** Names that Azure would refuse: two of the same type and scope, too long, or with a wrong character. */
export function nameFaultsOf(resources: Resource[]): string[] {
  const faults: string[] = []
  const seen = new Set<string>()
  for (const { type, scope, name } of resources) {
    // Azure ignores case in names.
    const key = `${type} ${scope} ${name}`.toLowerCase()
    if (seen.has(key)) faults.push(`${type} ${name} is there twice`)
    seen.add(key)
    const rule = rules[type]
    if (rule === undefined) faults.push(`the names of ${type} have no rule in this test`)
    else if (!rule.test(name.split('/').at(-1) ?? '')) faults.push(`${type} may not be named ${name}`)
  }
  return faults
}
