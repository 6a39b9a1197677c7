using '../main.bicep'

// Nothing stored, nothing public: federated credential, Entra ID sign-in beside the keys, private addresses throughout,
// two instances that are always warm.
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
