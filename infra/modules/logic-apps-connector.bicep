@description('Name of the custom API.')
param name string
@description('Region of the resources.')
param location string
@description('Tags on the resources.')
param tags object
@description('Host name of the function app.')
param hostName string

var definition = loadJsonContent('../connector/apiDefinition.swagger.json')

// The triggers need policies of the Power Platform, which Logic Apps does not have.
var actionPaths = toObject(
  filter(items(definition.paths), path => !startsWith(path.key, '/trigger/')),
  path => path.key,
  path => path.value
)

// Only the key: Logic Apps supports one way of signing in, and the host is that of this app.
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
    // Not union, which would merge the two objects of paths and so restore the triggers.
    swagger: shallowMerge([definition, { host: hostName, paths: actionPaths }])
    connectionParameters: { api_key: { type: 'securestring' } }
  }
}
