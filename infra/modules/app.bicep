@description('Name of the function app and its hosting plan.')
param name string
@description('Region of the resources.')
param location string
@description('Tags on the resources.')
param tags object
@description('Hosting plan.')
@allowed(['flex', 'premium', 'consumption'])
param plan string
@description('Flex: memory of an instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int
@description('The maximum number of instances.')
param maximumInstanceCount int
@description('Flex: always-ready instances.')
param alwaysReady { name: string, instanceCount: int }[]
@description('Premium: instances that are always on.')
param premiumInstances int
@description('Resource id of the app\'s identity.')
param identityId string
@description('App settings.')
param settings object
@description('Application Insights component for telemetry.')
param componentName string
@description('Container of the package.')
param packageContainerUrl string
@description('Origins from which a browser can call the app.')
param corsOrigins string[]
@description('Subnet for outbound calls of the app. Empty for none.')
param subnetId string
@description('Subnet of the app\'s private endpoint. Empty to keep its public address.')
param endpointSubnetId string
@description('Private DNS zone of the private endpoint.')
param zoneName string
@description('Client id of the API\'s app registration. Empty for function keys only.')
param entraClientId string
@description('Issuer of the tokens.')
param entraIssuer string
@description('Audiences of the tokens.')
param entraAudiences string[]
@description('Client ids of the allowed callers. Empty for every client with a token for the audience.')
param entraAllowedClients string[]
@description('False also allows callers with a function key and no token.')
param entraRequired bool

var isFlex = plan == 'flex'
@description('Flex Consumption accepts no smaller maximum.')
var leastFlexMaximum = 40

module flex 'app-flex.bicep' = if (isFlex) {
  params: {
    name: name
    planName: name
    location: location
    tags: tags
    identityId: identityId
    settings: settings
    componentName: componentName
    packageContainerUrl: packageContainerUrl
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: max(maximumInstanceCount, leastFlexMaximum)
    alwaysReady: alwaysReady
    corsOrigins: corsOrigins
    subnetId: subnetId
    isPublic: empty(endpointSubnetId)
  }
}

module classic 'app-classic.bicep' = if (!isFlex) {
  params: {
    name: name
    planName: name
    location: location
    tags: tags
    plan: plan == 'consumption' ? 'consumption' : 'premium'
    identityId: identityId
    settings: settings
    componentName: componentName
    packageUrl: '${packageContainerUrl}/app.zip'
    maximumInstanceCount: maximumInstanceCount
    minimumInstanceCount: premiumInstances
    corsOrigins: corsOrigins
    subnetId: subnetId
    isPublic: empty(endpointSubnetId)
  }
}

module access 'app-access.bicep' = {
  params: {
    appName: isFlex ? flex!.outputs.name : classic!.outputs.name
    location: location
    tags: tags
    entraClientId: entraClientId
    entraIssuer: entraIssuer
    entraAudiences: entraAudiences
    entraAllowedClients: entraAllowedClients
    entraRequired: entraRequired
    endpointSubnetId: endpointSubnetId
    zoneName: zoneName
  }
}

@description('Name of the function app.')
output name string = access.outputs.appName
@description('Host name of the function app.')
output hostName string = isFlex ? flex!.outputs.hostName : classic!.outputs.hostName
