targetScope = 'resourceGroup'

import { roleIds } from 'modules/roles.bicep'

@description('The start of the name of every resource: lower-case letters and digits, starting with a letter.')
@minLength(2)
@maxLength(10)
param name string = 'orders'
@description('Region of the resources.')
param location string = resourceGroup().location
@description('Tags on every resource.')
param tags object = {}

@description('Tenant id of the CSP partner.')
@minLength(36)
@maxLength(36)
param partnerTenantId string
@description('Client id of the app registration that is registered with Partner Center.')
@minLength(36)
@maxLength(36)
param partnerClientId string
@description('Cloud of the partner tenant.')
@allowed(['global', 'usgov', 'china'])
param partnerCloud string = 'global'
@description('The credential for Partner Center. docs/credentials.md compares the kinds.')
@allowed(['secret', 'certificate', 'federated', 'refresh-token'])
param credential string = 'secret'
@description('Key Vault secret with the client secret.')
param clientSecretName string = 'partner-center-client-secret'
@description('Key Vault certificate, or Key Vault secret with the certificate as text.')
param certificateSecretName string = 'partner-center-client-certificate'
@description('Key Vault secret with the refresh token.')
param refreshTokenSecretName string = 'partner-center-refresh-token'

@description('Names of the secrets that the vault already contains. A role can only be assigned on an existing secret, so leave it empty for the first deployment.')
param storedSecretNames string[] = []
@description('secret: the app gets a role on each stored secret. vault: the app gets roles on the whole vault with the first deployment.')
@allowed(['secret', 'vault'])
param vaultRoleScope string = 'secret'
@description('Object id of the user, group or service principal that stores secrets and uploads packages. The default is the deploying account. Empty for none.')
param operatorPrincipalId string = deployer().objectId
@description('Kind of operatorPrincipalId. The default matches the deploying account: a service principal has no user name.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorPrincipalType string = empty(deployer().userPrincipalName) ? 'ServicePrincipal' : 'User'
@description('True recovers the deleted vault of this name. Azure keeps that name for 90 days. Fails if there is no such vault.')
param recoverVault bool = false

@description('The most requests to Partner Center in a minute, of all instances together.')
@minValue(1)
param requestsPerMinute int = 450
@description('The most requests of a snapshot that one instance sends at a time.')
@minValue(1)
@maxValue(100)
param concurrency int = 5
@description('The most seconds for a request.')
@minValue(1)
@maxValue(220)
param requestDeadlineSeconds int = 100

@description('How often the app reads the activity log of Partner Center: an NCRONTAB expression of six fields, in UTC, or off.')
param followSchedule string = '0 */10 * * * *'
@description('When a snapshot of all customers starts: an NCRONTAB expression of six fields, in UTC.')
param snapshotSchedule string = '0 20 0 * * *'
@description('Blob container of the snapshots.')
param snapshotContainer string = 'order-snapshots'
@description('Tenant ids of the customers in a snapshot. Empty for all customers.')
param snapshotCustomers string[] = []
@description('The customers in one queue message.')
@minValue(1)
@maxValue(1000)
param snapshotCustomersPerPart int = 50
@description('Minutes after which a snapshot is ended as failed. 0 for three times the ideal time.')
@minValue(0)
param snapshotOverdueMinutes int = 0
@description('Days after which a snapshot is deleted.')
@minValue(31)
param retentionDays int = 730
@description('Redundancy of the snapshots, such as Standard_ZRS. For a region without availability zones, use Standard_GRS.')
param snapshotSku string = 'Standard_ZRS'

@description('Hosting plan. auto: flex in the public cloud, and premium in the other clouds, which have no Flex Consumption.')
@allowed(['auto', 'flex', 'premium', 'consumption'])
param plan string = 'auto'
@description('Flex: memory of an instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048
@description('The maximum number of instances: at least 40 for Flex, at most 20 for Premium.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40
@description('Flex: always-ready instances, such as [{ name: \'http\', instanceCount: 1 }].')
param alwaysReady { name: string, instanceCount: int }[] = []
@description('Premium: instances that are always on.')
@minValue(1)
param premiumInstances int = 1

@description('Origins from which a browser can call the app. The Functions action of Logic Apps needs [\'*\'].')
param corsOrigins string[] = []
@description('Creates the connector as a custom API for Logic Apps of this subscription and region.')
param logicAppsConnector bool = false

@description('Client id of the API\'s app registration. It turns on Entra ID sign-in. Empty for function keys only.')
param entraClientId string = ''
@description('Issuer of the tokens. The default is version 2.0 of this tenant, which requires requestedAccessTokenVersion 2 in the app registration.')
param entraIssuer string = uri(environment().authentication.loginEndpoint, '${tenant().tenantId}/v2.0')
@description('Audiences of the tokens. The default is the client id, which tokens of version 2.0 contain, and its URI.')
param entraAudiences string[] = empty(entraClientId) ? [] : [entraClientId, 'api://${entraClientId}']
@description('Client ids of the allowed callers. Empty for every client with a token for the audience.')
param entraAllowedClients string[] = []
@description('False also allows callers with a function key and no token.')
param entraRequired bool = true

@description('Gives storage and vault private addresses instead of public ones, and connects the app to the network. Application Insights stays public.')
param privateNetworking bool = false
@description('With privateNetworking, false gives the app a private address instead of its public one.')
param publicApp bool = true
@description('Address space of the network, a /24 or larger.')
param networkAddressPrefix string = '10.60.0.0/24'

@description('Mail address for alerts. Empty to show them only in the portal.')
param alertEmail string = ''
@description('Hours without a finished snapshot of all customers after which an alert fires. 0 for no such alert.')
@minValue(0)
@maxValue(47)
param snapshotDueHours int = 26
@description('Days after which logs are deleted.')
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
    // The Functions host uses them for its locks, timers, keys, queues and diagnostic events.
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
  params: {
    accountName: snapshotStorage.outputs.name
    containerName: snapshotContainer
    retentionDays: retentionDays
  }
}

module vault 'modules/vault.bicep' = if (usesVault) {
  params: {
    name: fullName
    location: location
    tags: tags
    recover: recoverVault
    workspaceId: monitoring.outputs.workspaceId
    appPrincipalId: identity.properties.principalId
    // Empty for federated, which reads no secret.
    readSecretNames: [credential == 'certificate' ? certificateSecretName : clientSecretName]
    makesCertificate: credential == 'certificate'
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
  params: {
    accountName: hostStorage.outputs.name
    containerName: packageContainer
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
    roles: [roleIds.storageBlobDataContributor]
  }
}

module app 'modules/app.bicep' = {
  params: {
    name: fullName
    location: location
    tags: tags
    // Listed one by one, because the type of hostingPlan includes auto, which the module does not accept.
    plan: isFlex ? 'flex' : hostingPlan == 'consumption' ? 'consumption' : 'premium'
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    premiumInstances: premiumInstances
    identityId: identity.id
    componentName: monitoring.outputs.componentName
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
    // An empty setting counts as absent.
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
      FOLLOW_SCHEDULE: followSchedule
      SNAPSHOT_SCHEDULE: snapshotSchedule
      SNAPSHOT_CONTAINER: snapshotContainer
      SNAPSHOT_CUSTOMERS: join(snapshotCustomers, ',')
      SNAPSHOT_CUSTOMERS_PER_PART: string(snapshotCustomersPerPart)
      SNAPSHOT_OVERDUE_MINUTES: snapshotOverdueMinutes == 0 ? '' : string(snapshotOverdueMinutes)
    }
  }
}

module alerts 'modules/alerts.bicep' = {
  params: {
    prefix: fullName
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    createdAt: monitoring.outputs.createdAt
    email: alertEmail
    snapshotDueHours: snapshotDueHours
    followsLog: followSchedule != 'off' && (partnerCloud == 'global' || partnerCloud == 'usgov')
  }
}

module connector 'modules/logic-apps-connector.bicep' = if (logicAppsConnector) {
  params: {
    name: fullName
    location: location
    tags: tags
    hostName: app.outputs.hostName
  }
}

@description('Name of the function app.')
output APP_NAME string = app.outputs.name
@description('Address of the app.')
output APP_URL string = 'https://${app.outputs.hostName}'
@description('Object id of the app\'s identity: the subject of the federated credential on the app registration.')
output IDENTITY_PRINCIPAL_ID string = identity.properties.principalId
@description('Name of the vault with the credential. Empty for federated.')
output KEY_VAULT_NAME string = usesVault ? fullName : ''
@description('Storage account of the Functions host: package, queues, locks.')
output HOST_STORAGE string = hostStorage.outputs.name
@description('Storage account of the snapshots.')
output SNAPSHOT_STORAGE string = snapshotStorage.outputs.name
