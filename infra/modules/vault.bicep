import { roleIds } from 'roles.bicep'

param name string
param location string
param tags object
@description('Brings back the vault of this name that was deleted within the last 90 days.')
param recover bool
param workspaceId string

@description('Object id of the app\'s identity.')
param appPrincipalId string
@description('Secrets that the app reads.')
param readSecretNames string[]
@description('Secrets that the app reads and writes.')
param writtenSecretNames string[]
@description('Secrets that exist by now.')
param storedSecretNames string[]
@description('secret: a role on each of the app\'s secrets that exist. vault: roles on all that the vault holds.')
@allowed(['secret', 'vault'])
param roleScope string

@description('Object id of who stores the secrets; empty for nobody.')
param operatorPrincipalId string
@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorPrincipalType string

@description('Subnet of the private endpoint; empty leaves the vault on its public address.')
param endpointSubnetId string
param zoneName string

var isPrivate = !empty(endpointSubnetId)
var perSecret = roleScope == 'secret'
var vaultRoles = concat(
  [roleIds.keyVaultSecretsUser],
  empty(writtenSecretNames) ? [] : [roleIds.keyVaultSecretsOfficer]
)

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    createMode: recover ? 'recover' : 'default'
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      bypass: 'None'
    }
  }
}

module readers 'secret-role.bicep' = [
  for secretName in (perSecret ? intersection(readSecretNames, storedSecretNames) : []): {
    name: take('read-${secretName}', 64)
    params: {
      vaultName: vault.name
      secretName: secretName
      principalId: appPrincipalId
      role: roleIds.keyVaultSecretsUser
    }
  }
]

module writers 'secret-role.bicep' = [
  for secretName in (perSecret ? intersection(writtenSecretNames, storedSecretNames) : []): {
    name: take('write-${secretName}', 64)
    params: {
      vaultName: vault.name
      secretName: secretName
      principalId: appPrincipalId
      role: roleIds.keyVaultSecretsOfficer
    }
  }
]

resource wholeVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in (perSecret ? [] : vaultRoles): {
    name: guid(vault.id, appPrincipalId, role)
    scope: vault
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource operator 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorPrincipalId)) {
  name: guid(vault.id, operatorPrincipalId, roleIds.keyVaultSecretsOfficer)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.keyVaultSecretsOfficer)
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

module endpoint 'private-endpoint.bicep' = if (isPrivate) {
  name: '${name}-endpoint'
  params: {
    name: name
    location: location
    tags: tags
    subnetId: endpointSubnetId
    targetId: vault.id
    service: 'vault'
    zoneName: zoneName
  }
}
