@description('Name of the private endpoint.')
param name string
@description('Region of the resources.')
param location string
@description('Tags on the resources.')
param tags object
@description('Subnet of the address.')
param subnetId string
@description('Resource that gets a private address.')
param targetId string
@description('Its service: blob, queue, table, vault or sites.')
param service string
@description('Private DNS zone of the service, in this resource group.')
param zoneName string

resource zone 'Microsoft.Network/privateDnsZones@2020-06-01' existing = {
  name: zoneName
}

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: service
        properties: {
          privateLinkServiceId: targetId
          groupIds: [service]
        }
      }
    ]
  }
}

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [{ name: service, properties: { privateDnsZoneId: zone.id } }]
  }
}
