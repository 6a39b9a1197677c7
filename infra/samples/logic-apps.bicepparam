using '../main.bicep'

// For Logic Apps: the connector as a custom API, and the Functions action, which requires that every origin is allowed.
param partnerTenantId = '00000000-0000-0000-0000-000000000001'
param partnerClientId = '00000000-0000-0000-0000-000000000002'
param credential = 'secret'
// One deployment is enough: the app can read the whole vault, which contains nothing else, before its secret is stored.
param vaultRoleScope = 'vault'
param corsOrigins = ['*']
param logicAppsConnector = true
param entraClientId = '00000000-0000-0000-0000-000000000003'
param entraRequired = false
