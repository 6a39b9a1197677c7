@description('Vault of the secret.')
param vaultName string
@description('Secret of the role. It must exist.')
param secretName string
@description('Object id of the app\'s identity.')
param principalId string
@description('Id of the role.')
param role string

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: vaultName

  resource entry 'secrets' existing = {
    name: secretName
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault::entry.id, principalId, role)
  scope: vault::entry
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
