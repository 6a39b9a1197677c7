@description('Name of the virtual network.')
param name string
@description('Region of the resources.')
param location string
@description('Tags on the resources.')
param tags object
@description('Address space of the network, a /24 or larger.')
param addressPrefix string
@description('True for Flex Consumption, which uses another delegation of the subnet than the older plans.')
param isFlex bool
@description('Private DNS zones of the services that get a private endpoint.')
param zoneNames string[]

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          // Partner Center and Entra ID are on the internet.
          defaultOutboundAccess: true
          delegations: [
            {
              name: 'app'
              properties: { serviceName: isFlex ? 'Microsoft.App/environments' : 'Microsoft.Web/serverFarms' }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 1)
          defaultOutboundAccess: false
        }
      }
    ]
  }

  resource appSubnet 'subnets' existing = {
    name: 'app'
  }

  resource endpointSubnet 'subnets' existing = {
    name: 'endpoints'
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2020-06-01' = [
  for zoneName in zoneNames: {
    name: zoneName
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = [
  for (zoneName, index) in zoneNames: {
    parent: zones[index]
    name: name
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

@description('Subnet that the app joins.')
output appSubnetId string = network::appSubnet.id
@description('Subnet of the private endpoints.')
output endpointSubnetId string = network::endpointSubnet.id
