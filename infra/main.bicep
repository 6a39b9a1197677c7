targetScope = 'resourceGroup'

import { roleIds } from 'modules/roles.bicep'

@description('Begins the name of every resource: lower-case letters and digits, a letter first.')
@minLength(2)
@maxLength(10)
param name string = 'orders'
param location string = resourceGroup().location
param tags object = {}

@description('Tenant id of the CSP partner.')
@minLength(36)
@maxLength(36)
param partnerTenantId string
@description('Client id of the app registration that Partner Center knows.')
@minLength(36)
@maxLength(36)
param partnerClientId string
@description('Cloud of the partner tenant.')
@allowed(['global', 'usgov', 'china'])
param partnerCloud string = 'global'
@description('What the app proves itself with. federated needs no vault and no secret.')
@allowed(['secret', 'certificate', 'federated', 'refresh-token'])
param credential string = 'secret'
param clientSecretName string = 'partner-center-client-secret'
param certificateSecretName string = 'partner-center-client-certificate'
param refreshTokenSecretName string = 'partner-center-refresh-token'

@description('Secrets that are in the vault by now: a role can only be given on a secret that exists.')
param storedSecretNames string[] = []
@description('secret: a role on each stored secret. vault: roles on the whole vault, once and for all.')
@allowed(['secret', 'vault'])
param vaultRoleScope string = 'secret'
@description('Object id of who stores secrets and uploads packages; empty for nobody.')
param operatorPrincipalId string = ''
@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorPrincipalType string = 'User'
@description('True if the vault was deleted within the last 90 days: its name is taken until then.')
param recoverVault bool = false

@minValue(1)
param requestsPerMinute int = 450
@minValue(1)
@maxValue(100)
param concurrency int = 5
@minValue(1)
@maxValue(220)
param requestDeadlineSeconds int = 100

@description('NCRONTAB of six fields, in UTC.')
param snapshotSchedule string = '0 20 0 * * *'
param snapshotContainer string = 'order-snapshots'
@description('Tenant ids of the only customers to take; empty for all.')
param snapshotCustomers string[] = []
@minValue(1)
@maxValue(1000)
param snapshotCustomersPerPart int = 50
@description('Minutes after which a run is given up; 0 for three times the ideal time.')
@minValue(0)
param snapshotOverdueMinutes int = 0
@description('Days that a snapshot is kept.')
@minValue(31)
param retentionDays int = 730
@description('Redundancy of the snapshots: Standard_ZRS where the region has zones.')
param snapshotSku string = 'Standard_ZRS'

@description('auto: flex in the public cloud, premium where Flex Consumption does not exist.')
@allowed(['auto', 'flex', 'premium', 'consumption'])
param plan string = 'auto'
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40
@description('Flex: instances kept warm, such as [{ name: \'http\', instanceCount: 1 }].')
param alwaysReady { name: string, instanceCount: int }[] = []
@description('Premium: instances that never stop.')
@minValue(1)
param premiumInstances int = 1

@description('[\'*\'] for the Functions action of Logic Apps, which demands it; empty for none.')
param corsOrigins string[] = []
@description('Makes the connector a custom API that Logic Apps of this subscription and region can use.')
param logicAppsConnector bool = false

@description('Client id of the API\'s app registration; turns Entra ID sign-in on.')
param entraClientId string = ''
param entraIssuer string = '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
param entraAudiences string[] = empty(entraClientId) ? [] : ['api://${entraClientId}']
@description('Client ids that may call; empty for every client that gets a token for the audience.')
param entraAllowedClients string[] = []
@description('False lets callers in who bring no token, on their key.')
param entraRequired bool = true

@description('Storage and vault get private addresses and lose their public ones; the app joins the network.')
param privateNetworking bool = false
@description('With privateNetworking, false takes the public address from the app, too.')
param publicApp bool = true
param networkAddressPrefix string = '10.60.0.0/24'

@description('Who is told of alerts; empty shows them in the portal only.')
param alertEmail string = ''
@description('Hours within which a snapshot of all customers has to have finished, at most 47; 0 for no such alert.')
@minValue(0)
@maxValue(47)
param snapshotDueHours int = 26
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

var token = uniqueString(resourceGroup().id, name)
var fullName = '${name}-${token}'
var accountPrefix = take(name, 6)

var chosenPlan = plan == 'auto' ? (environment().name == 'AzureCloud' ? 'flex' : 'premium') : plan
// A Consumption plan cannot join a network.
var hostingPlan = privateNetworking && chosenPlan == 'consumption' ? 'premium' : chosenPlan
var isFlex = hostingPlan == 'flex'

var usesVault = credential != 'federated'

var siteSuffixes = {
  AzureCloud: 'azurewebsites.net'
  AzureUSGovernment: 'azurewebsites.us'
  AzureChinaCloud: 'chinacloudsites.cn'
}
var vaultZone = 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
var siteZone = 'privatelink.${siteSuffixes[environment().name]}'

var packageContainer = 'packages'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: fullName
  location: location
  tags: tags
}

module network 'modules/network.bicep' = if (privateNetworking) {
  name: 'network'
  params: {
    name: fullName
    location: location
    tags: tags
    addressPrefix: networkAddressPrefix
    isFlex: isFlex
    zoneNames: [
      'privatelink.blob.${environment().suffixes.storage}'
      'privatelink.queue.${environment().suffixes.storage}'
      'privatelink.table.${environment().suffixes.storage}'
      vaultZone
      siteZone
    ]
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: fullName
    componentName: fullName
    location: location
    tags: tags
    retentionDays: logRetentionDays
    appPrincipalId: identity.properties.principalId
  }
}

module hostStorage 'modules/storage.bicep' = {
  name: 'host-storage'
  params: {
    name: '${accountPrefix}host${token}'
    location: location
    tags: tags
    sku: 'Standard_LRS'
    containers: [packageContainer]
    queues: ['snapshot-parts', 'snapshot-parts-poison']
    keepVersions: false
    loggedOperations: []
    workspaceId: monitoring.outputs.workspaceId
    appPrincipalId: identity.properties.principalId
    // What the Functions host needs for its locks, timers, keys, queues and diagnostic events.
    accountRoles: [
      roleIds.storageBlobDataOwner
      roleIds.storageQueueDataContributor
      roleIds.storageTableDataContributor
    ]
    containerRoles: []
    endpointSubnetId: privateNetworking ? network!.outputs.endpointSubnetId : ''
    endpointServices: ['blob', 'queue', 'table']
  }
}

module snapshotStorage 'modules/storage.bicep' = {
  name: 'snapshot-storage'
  params: {
    name: '${accountPrefix}snap${token}'
    location: location
    tags: tags
    sku: snapshotSku
    containers: [snapshotContainer]
    queues: []
    keepVersions: true
    loggedOperations: ['StorageRead', 'StorageWrite', 'StorageDelete']
    workspaceId: monitoring.outputs.workspaceId
    appPrincipalId: identity.properties.principalId
    accountRoles: []
    containerRoles: [roleIds.storageBlobDataContributor]
    endpointSubnetId: privateNetworking ? network!.outputs.endpointSubnetId : ''
    endpointServices: ['blob']
  }
}

module snapshotRetention 'modules/snapshot-retention.bicep' = {
  name: 'snapshot-retention'
  params: {
    accountName: snapshotStorage.outputs.name
    containerName: snapshotContainer
    retentionDays: retentionDays
  }
}

module vault 'modules/vault.bicep' = if (usesVault) {
  name: 'vault'
  params: {
    name: fullName
    location: location
    tags: tags
    recover: recoverVault
    workspaceId: monitoring.outputs.workspaceId
    appPrincipalId: identity.properties.principalId
    // Left out for federated, which reads no secret.
    readSecretNames: [credential == 'certificate' ? certificateSecretName : clientSecretName]
    writtenSecretNames: credential == 'refresh-token' ? [refreshTokenSecretName] : []
    storedSecretNames: storedSecretNames
    roleScope: vaultRoleScope
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
    endpointSubnetId: privateNetworking ? network!.outputs.endpointSubnetId : ''
    zoneName: vaultZone
  }
}

module packageUpload 'modules/container-role.bicep' = if (!isFlex && !empty(operatorPrincipalId)) {
  name: 'package-upload'
  params: {
    accountName: hostStorage.outputs.name
    containerName: packageContainer
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
    roles: [roleIds.storageBlobDataContributor]
  }
}

module app 'modules/app.bicep' = {
  name: 'app'
  params: {
    name: fullName
    location: location
    tags: tags
    plan: hostingPlan
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    premiumInstances: premiumInstances
    identityId: identity.id
    componentName: monitoring.outputs.componentName
    workspaceId: monitoring.outputs.workspaceId
    packageContainerUrl: '${hostStorage.outputs.blobEndpoint}${packageContainer}'
    corsOrigins: corsOrigins
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
    endpointSubnetId: privateNetworking && !publicApp ? network!.outputs.endpointSubnetId : ''
    zoneName: siteZone
    entraClientId: entraClientId
    entraIssuer: entraIssuer
    entraAudiences: entraAudiences
    entraAllowedClients: entraAllowedClients
    entraRequired: entraRequired
    // An empty setting counts as absent (README, Settings).
    settings: {
      AZURE_CLIENT_ID: identity.properties.clientId
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
      AzureWebJobsStorage__blobServiceUri: hostStorage.outputs.blobEndpoint
      AzureWebJobsStorage__queueServiceUri: hostStorage.outputs.queueEndpoint
      AzureWebJobsStorage__tableServiceUri: hostStorage.outputs.tableEndpoint
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identity.properties.clientId
      SnapshotStorage__blobServiceUri: snapshotStorage.outputs.blobEndpoint
      SnapshotStorage__credential: 'managedidentity'
      SnapshotStorage__clientId: identity.properties.clientId
      PARTNER_CENTER_TENANT_ID: partnerTenantId
      PARTNER_CENTER_CLIENT_ID: partnerClientId
      PARTNER_CENTER_CLOUD: partnerCloud
      PARTNER_CENTER_CREDENTIAL: credential
      KEY_VAULT_URI: usesVault ? 'https://${fullName}${environment().suffixes.keyvaultDns}' : ''
      PARTNER_CENTER_CLIENT_SECRET_NAME: clientSecretName
      PARTNER_CENTER_CERTIFICATE_NAME: certificateSecretName
      PARTNER_CENTER_REFRESH_TOKEN_NAME: refreshTokenSecretName
      PARTNER_CENTER_REQUESTS_PER_MINUTE: string(requestsPerMinute)
      PARTNER_CENTER_CONCURRENCY: string(concurrency)
      REQUEST_DEADLINE_SECONDS: string(requestDeadlineSeconds)
      SNAPSHOT_SCHEDULE: snapshotSchedule
      SNAPSHOT_CONTAINER: snapshotContainer
      SNAPSHOT_CUSTOMERS: join(snapshotCustomers, ',')
      SNAPSHOT_CUSTOMERS_PER_PART: string(snapshotCustomersPerPart)
      SNAPSHOT_OVERDUE_MINUTES: snapshotOverdueMinutes == 0 ? '' : string(snapshotOverdueMinutes)
    }
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    prefix: fullName
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
    snapshotDueHours: snapshotDueHours
  }
}

module connector 'modules/logic-apps-connector.bicep' = if (logicAppsConnector) {
  name: 'logic-apps-connector'
  params: {
    name: fullName
    location: location
    tags: tags
    hostName: app.outputs.hostName
  }
}

output APP_NAME string = app.outputs.name
output APP_URL string = 'https://${app.outputs.hostName}'
@description('Subject of the federated credential on the app registration, for credential federated.')
output IDENTITY_PRINCIPAL_ID string = identity.properties.principalId
output KEY_VAULT_NAME string = usesVault ? fullName : ''
output HOST_STORAGE string = hostStorage.outputs.name
output SNAPSHOT_STORAGE string = snapshotStorage.outputs.name
