using '../main.bicep'

// No stored secret, and no public address of app, storage and vault: federated credential, Entra ID sign-in together
// with keys, and two always-ready instances. Application Insights and the workspace keep their public addresses. They
// accept only Entra ID sign-in, and a private link for them changes the name resolution of the whole network
// (docs/operations.md).
param partnerTenantId = '00000000-0000-0000-0000-000000000001'
param partnerClientId = '00000000-0000-0000-0000-000000000002'
param credential = 'federated'
param plan = 'flex'
param instanceMemoryMB = 4096
param maximumInstanceCount = 100
param alwaysReady = [{ name: 'http', instanceCount: 2 }]
param privateNetworking = true
param publicApp = false
param networkAddressPrefix = '10.80.0.0/24'
param entraClientId = '00000000-0000-0000-0000-000000000003'
param entraAllowedClients = ['00000000-0000-0000-0000-000000000004']
param alertEmail = 'csp-operations@example.com'
