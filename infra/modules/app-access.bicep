param appName string
param location string
param tags object
param workspaceId string

@description('Entra ID sign-in: client id of the API\'s app registration; empty for keys alone.')
param entraClientId string
param entraIssuer string
param entraAudiences string[]
@description('Client ids that may call; empty for every client that gets a token for the audience.')
param entraAllowedClients string[]
@description('False lets callers in who bring no token, on their key.')
param entraRequired bool

@description('Subnet of the private endpoint; empty for none.')
param endpointSubnetId string
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
        // Liveness and the definition of the connector say nothing about anybody.
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

resource metrics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: app
  properties: {
    workspaceId: workspaceId
    // Logs go to Application Insights already; sending FunctionAppLogs as well would pay for them twice.
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

module endpoint 'private-endpoint.bicep' = if (!empty(endpointSubnetId)) {
  name: '${appName}-endpoint'
  params: {
    name: appName
    location: location
    tags: tags
    subnetId: endpointSubnetId
    targetId: app.id
    service: 'sites'
    zoneName: zoneName
  }
}

output appName string = app.name
