using '../main.bicep'

// Azure Government, with App+User sign-in.
param partnerTenantId = '00000000-0000-0000-0000-000000000001'
param partnerClientId = '00000000-0000-0000-0000-000000000002'
param partnerCloud = 'usgov'
param credential = 'refresh-token'
// After you have stored them in the vault, name them here and deploy again: ['partner-center-client-secret',
// 'partner-center-refresh-token']
param storedSecretNames = []
param plan = 'premium'
param maximumInstanceCount = 5
param snapshotSku = 'Standard_GRS'
param alertEmail = 'csp-operations@example.com'
