import { roleIds } from 'roles.bicep'

@description('Name of the vault.')
param name string
@description('Region of the resources.')
param location string
@description('Tags on the resources.')
param tags object
@description('Recovers the deleted vault of this name. Fails if there is none.')
param recover bool
@description('Workspace for the audit log.')
param workspaceId string

@description('Object id of the app\'s identity.')
param appPrincipalId string
@description('Secrets that the app reads.')
param readSecretNames string[]
@description('Secrets that the app reads and writes.')
param writtenSecretNames string[]
@description('True if the operator creates or imports a certificate, which needs another role.')
param makesCertificate bool
@description('Secrets that the vault already contains.')
param storedSecretNames string[]
@description('secret: a role on each of the app\'s secrets that exist. vault: roles on the whole vault.')
@allowed(['secret', 'vault'])
param roleScope string

@description('Object id of the operator. Empty for none.')
param operatorPrincipalId string
@description('Kind of operatorPrincipalId.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorPrincipalType string

@description('Subnet of the private endpoint. Empty to keep the public address of the vault.')
param endpointSubnetId string
@description('Private DNS zone of the private endpoint.')
param zoneName string

var isPrivate = !empty(endpointSubnetId)
var perSecret = roleScope == 'secret'
var operatorRoles = concat(
  [roleIds.keyVaultSecretsOfficer],
  makesCertificate ? [roleIds.keyVaultCertificatesOfficer] : []
)
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

resource operator 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in (empty(operatorPrincipalId) ? [] : operatorRoles): {
    name: guid(vault.id, operatorPrincipalId, role)
    scope: vault
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      principalId: operatorPrincipalId
      principalType: operatorPrincipalType
    }
  }
]

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}

module endpoint 'private-endpoint.bicep' = if (isPrivate) {
  params: {
    name: '${name}-vault'
    location: location
    tags: tags
    subnetId: endpointSubnetId
    targetId: vault.id
    service: 'vault'
    zoneName: zoneName
  }
}
