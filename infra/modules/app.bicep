param name string
param location string
param tags object
@allowed(['flex', 'premium', 'consumption'])
param plan string
@allowed([512, 2048, 4096])
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReady { name: string, instanceCount: int }[]
param premiumInstances int
@description('Resource id of the app\'s identity.')
param identityId string
param settings object
param componentName string
param workspaceId string
param packageContainerUrl string
param corsOrigins string[]
@description('Subnet that the app reaches the world through; empty for none.')
param subnetId string
@description('Subnet of the app\'s private endpoint; empty leaves it on its public address.')
param endpointSubnetId string
param zoneName string
param entraClientId string
param entraIssuer string
param entraAudiences string[]
param entraAllowedClients string[]
param entraRequired bool

var isFlex = plan == 'flex'
@description('Flex Consumption takes no smaller maximum.')
var leastFlexMaximum = 40

module flex 'app-flex.bicep' = if (isFlex) {
  name: 'app-flex'
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
  name: 'app-classic'
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
  name: 'app-access'
  params: {
    appName: isFlex ? flex!.outputs.name : classic!.outputs.name
    location: location
    tags: tags
    workspaceId: workspaceId
    entraClientId: entraClientId
    entraIssuer: entraIssuer
    entraAudiences: entraAudiences
    entraAllowedClients: entraAllowedClients
    entraRequired: entraRequired
    endpointSubnetId: endpointSubnetId
    zoneName: zoneName
  }
}

output name string = access.outputs.appName
output hostName string = isFlex ? flex!.outputs.hostName : classic!.outputs.hostName
