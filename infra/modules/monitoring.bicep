import { roleIds } from 'roles.bicep'

@description('Name of the Log Analytics workspace.')
param workspaceName string
@description('Name of the Application Insights component.')
param componentName string
@description('Region of the resources.')
param location string
@description('Tags on the resources.')
param tags object
@description('Days after which logs are deleted.')
param retentionDays int
@description('Object id of the app\'s identity, which sends telemetry.')
param appPrincipalId string

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: {
      // No workspace keys. Agents and the app sign in with Entra ID.
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: componentName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    // The connection string then names the component but is no credential.
    DisableLocalAuth: true
  }
}

resource publisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, appPrincipalId, roleIds.monitoringMetricsPublisher)
  scope: component
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.monitoringMetricsPublisher)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

@description('Resource id of the workspace.')
output workspaceId string = workspace.id
@description('Name of the Application Insights component.')
output componentName string = component.name
@description('When the component was created, in ISO 8601. A later deployment does not change it.')
output createdAt string = component.properties.CreationDate
