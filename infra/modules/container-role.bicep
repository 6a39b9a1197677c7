@description('Storage account of the container.')
param accountName string
@description('Container of the roles. It must exist.')
param containerName string
@description('Object id that gets the roles.')
param principalId string
@description('Kind of principalId.')
@allowed(['ServicePrincipal', 'User', 'Group'])
param principalType string
@description('Ids of the roles.')
param roles string[]

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: accountName

  resource blobService 'blobServices' existing = {
    name: 'default'

    resource container 'containers' existing = {
      name: containerName
    }
  }
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in roles: {
    name: guid(account::blobService::container.id, principalId, role)
    scope: account::blobService::container
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      principalId: principalId
      principalType: principalType
    }
  }
]
