@description('Name of the function app.')
param name string
@description('Name of the hosting plan.')
param planName string
@description('Region of the resources.')
param location string
@description('Tags on the resources.')
param tags object
@description('Resource id of the app\'s identity.')
param identityId string
@description('Settings of the app. This plan refuses settings of the platform such as FUNCTIONS_WORKER_RUNTIME.')
param settings object
@description('Application Insights component for telemetry.')
param componentName string
@description('Container for the deployed package.')
param packageContainerUrl string

@description('Memory of an instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int
@description('The maximum number of instances.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int
@description('Always-ready instances. The name is http or function:<name>.')
param alwaysReady { name: string, instanceCount: int }[]

@description('Origins from which a browser can call the app.')
param corsOrigins string[]
@description('Subnet for outbound calls of the app. Empty for none.')
param subnetId string
@description('True keeps the public address of the app.')
param isPublic bool

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'orders' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      cors: { allowedOrigins: corsOrigins }
    }
    functionAppConfig: {
      runtime: { name: 'node', version: '24' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReady
      }
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(settings, {
      APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
    })
  }
}

@description('Name of the function app.')
output name string = app.name
@description('Host name of the function app.')
output hostName string = app.properties.defaultHostName
