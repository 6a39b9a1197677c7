@description('Name of the account.')
param name string
@description('Region of the resources.')
param location string
@description('Tags on the resources.')
param tags object
@description('Redundancy, such as Standard_ZRS.')
param sku string
@description('Names of the blob containers.')
param containers string[]
@description('Names of the queues.')
param queues string[]
@description('Keeps earlier and deleted versions of blobs for 30 days.')
param keepVersions bool
@description('Blob operations to log, such as StorageDelete. Empty for none.')
param loggedOperations string[]
@description('Workspace for the logs.')
param workspaceId string

@description('Object id of the app\'s identity.')
param appPrincipalId string
@description('Roles of the app on the whole account.')
param accountRoles string[]
@description('Roles of the app on each of the containers only.')
param containerRoles string[]

@description('Subnet of the private endpoints. Empty to keep the public address of the account.')
param endpointSubnetId string
@description('Services with a private endpoint: blob, queue, table.')
param endpointServices string[]

var isPrivate = !empty(endpointSubnetId)

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      bypass: 'AzureServices'
    }
  }
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: keepVersions
    deleteRetentionPolicy: keepVersions ? { enabled: true, days: 30 } : { enabled: false }
    containerDeleteRetentionPolicy: keepVersions ? { enabled: true, days: 30 } : { enabled: false }
  }
}

resource blobContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = [
  for container in containers: {
    parent: blobService
    name: container
    properties: { publicAccess: 'None' }
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource storageQueues 'Microsoft.Storage/storageAccounts/queueServices/queues@2024-01-01' = [
  for queue in queues: {
    parent: queueService
    name: queue
  }
]

resource accountRoleAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in accountRoles: {
    name: guid(account.id, appPrincipalId, role)
    scope: account
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
    }
  }
]

module containerRoleAssignments 'container-role.bicep' = [
  for (container, index) in containers: if (!empty(containerRoles)) {
    params: {
      accountName: name
      containerName: blobContainers[index].name
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roles: containerRoles
    }
  }
]

resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(loggedOperations)) {
  name: 'to-workspace'
  scope: blobService
  properties: {
    workspaceId: workspaceId
    logs: [for operation in loggedOperations: { category: operation, enabled: true }]
  }
}

module endpoints 'private-endpoint.bicep' = [
  for service in (isPrivate ? endpointServices : []): {
    params: {
      name: '${name}-${service}'
      location: location
      tags: tags
      subnetId: endpointSubnetId
      targetId: account.id
      service: service
      zoneName: 'privatelink.${service}.${environment().suffixes.storage}'
    }
  }
]

@description('Name of the storage account.')
output name string = account.name
@description('Address of the blob service.')
output blobEndpoint string = account.properties.primaryEndpoints.blob
@description('Address of the queue service.')
output queueEndpoint string = account.properties.primaryEndpoints.queue
@description('Address of the table service.')
output tableEndpoint string = account.properties.primaryEndpoints.table
