using '../main.bicep'

// Azure operated by 21Vianet, with a certificate, on the plan without fixed costs.
param partnerTenantId = '00000000-0000-0000-0000-000000000001'
param partnerClientId = '00000000-0000-0000-0000-000000000002'
param partnerCloud = 'china'
param credential = 'certificate'
// After you have stored them in the vault, name them here and deploy again: ['partner-center-client-certificate']
param storedSecretNames = []
param plan = 'consumption'
param maximumInstanceCount = 10
param snapshotSku = 'Standard_GRS'
param alertEmail = 'csp-operations@example.com'
