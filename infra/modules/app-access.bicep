@description('Name of the function app.')
param appName string
@description('Region of the resources.')
param location string
@description('Tags on the resources.')
param tags object

@description('Entra ID sign-in: client id of the API\'s app registration. Empty for function keys only.')
param entraClientId string
@description('Issuer of the tokens.')
param entraIssuer string
@description('Audiences of the tokens.')
param entraAudiences string[]
@description('Client ids of the allowed callers. Empty for every client with a token for the audience.')
param entraAllowedClients string[]
@description('False also allows callers with a function key and no token.')
param entraRequired bool

@description('Subnet of the private endpoint. Empty for none.')
param endpointSubnetId string
@description('Private DNS zone of the private endpoint.')
param zoneName string

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: appName

  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource signIn 'config' = if (!empty(entraClientId)) {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      globalValidation: {
        requireAuthentication: entraRequired
        unauthenticatedClientAction: entraRequired ? 'Return401' : 'AllowAnonymous'
        // Liveness and the definition of the connector contain no data.
        excludedPaths: ['/api/health', '/api/openapi.json']
      }
      httpSettings: { requireHttps: true }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: entraClientId
            openIdIssuer: entraIssuer
          }
          validation: {
            allowedAudiences: entraAudiences
            defaultAuthorizationPolicy: empty(entraAllowedClients) ? null : { allowedApplications: entraAllowedClients }
          }
        }
      }
      login: { tokenStore: { enabled: false } }
    }
  }
}

module endpoint 'private-endpoint.bicep' = if (!empty(endpointSubnetId)) {
  params: {
    name: '${appName}-sites'
    location: location
    tags: tags
    subnetId: endpointSubnetId
    targetId: app.id
    service: 'sites'
    zoneName: zoneName
  }
}

@description('Name of the function app, after its access rules are deployed.')
output appName string = app.name
