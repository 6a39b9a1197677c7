using '../main.bicep'

// The public cloud, with a client secret: az deployment group create -g GROUP -p infra/samples/global.bicepparam
param partnerTenantId = '00000000-0000-0000-0000-000000000001'
param partnerClientId = '00000000-0000-0000-0000-000000000002'
param partnerCloud = 'global'
param credential = 'secret'
// After you have stored them in the vault, name them here and deploy again: ['partner-center-client-secret']
param storedSecretNames = []
param alertEmail = 'csp-operations@example.com'
