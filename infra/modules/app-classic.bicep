@description('Name of the function app.')
param name string
@description('Name of the hosting plan.')
param planName string
@description('Region of the resources.')
param location string
@description('Tags on the resources.')
param tags object
@description('Hosting plan.')
@allowed(['premium', 'consumption'])
param plan string
@description('Resource id of the app\'s identity.')
param identityId string
@description('App settings.')
param settings object
@description('Application Insights component for telemetry.')
param componentName string
@description('Blob of the package that the app runs. docs/operations.md describes the upload.')
param packageUrl string

@description('The maximum number of instances.')
param maximumInstanceCount int
@description('Always-on instances of a Premium plan, at least 1.')
param minimumInstanceCount int

@description('Origins from which a browser can call the app.')
param corsOrigins string[]
@description('Subnet for outbound calls of the app. Empty for none.')
param subnetId string
@description('True keeps the public address of the app.')
param isPublic bool

var isPremium = plan == 'premium'
var joinsNetwork = !empty(subnetId)

@description('Node.js 22 is the last version on Linux Consumption.')
var nodeVersion = isPremium ? '24' : '22'

// Consumption ends a call after 10 minutes, and does not start with a higher value in host.json.
var consumptionSettings = { AzureFunctionsJobHost__functionTimeout: '00:10:00' }

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource farm 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: isPremium ? 'elastic' : 'functionapp'
  sku: isPremium ? { name: 'EP1', tier: 'ElasticPremium' } : { name: 'Y1', tier: 'Dynamic' }
  properties: {
    reserved: true
    maximumElasticWorkerCount: isPremium ? min(maximumInstanceCount, 20) : null
  }
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
    serverFarmId: farm.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
    virtualNetworkSubnetId: joinsNetwork ? subnetId : null
    vnetRouteAllEnabled: joinsNetwork
    siteConfig: {
      linuxFxVersion: 'Node|${nodeVersion}'
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      functionAppScaleLimit: isPremium ? null : maximumInstanceCount
      minimumElasticInstanceCount: isPremium ? max(minimumInstanceCount, 1) : null
      functionsRuntimeScaleMonitoringEnabled: isPremium && joinsNetwork
      cors: { allowedOrigins: corsOrigins }
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(settings, isPremium ? {} : consumptionSettings, {
      APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
      FUNCTIONS_EXTENSION_VERSION: '~4'
      FUNCTIONS_WORKER_RUNTIME: 'node'
      // The package is in a blob that the identity reads. Otherwise these plans would need a file share, which needs an
      // account key.
      WEBSITE_RUN_FROM_PACKAGE: packageUrl
      WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID: identityId
    })
  }
}

@description('Name of the function app.')
output name string = app.name
@description('Host name of the function app.')
output hostName string = app.properties.defaultHostName
