@description('Account and container that the roles are for; the container has to exist.')
param accountName string
param containerName string
param principalId string
@allowed(['ServicePrincipal', 'User', 'Group'])
param principalType string
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
