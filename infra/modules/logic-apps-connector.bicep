@description('Name of the custom API.')
param name string
@description('Region of the resources.')
param location string
@description('Tags on the resources.')
param tags object
@description('Host name of the function app.')
param hostName string

var definition = loadJsonContent('../connector/apiDefinition.swagger.json')

// The key alone: Logic Apps takes one way of signing in, and the host is this app's.
resource connector 'Microsoft.Web/customApis@2016-06-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    apiType: 'Rest'
    displayName: definition.info.title
    description: definition.info.description
    brandColor: '#0b5563'
    capabilities: []
    backendService: { serviceUrl: 'https://${hostName}' }
    swagger: union(definition, { host: hostName })
    connectionParameters: { api_key: { type: 'securestring' } }
  }
}
