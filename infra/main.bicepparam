using 'main.bicep'

// What azd deploys: its environment (azd env set NAME VALUE) fills in the values.
param partnerTenantId = readEnvironmentVariable('PARTNER_CENTER_TENANT_ID')
param partnerClientId = readEnvironmentVariable('PARTNER_CENTER_CLIENT_ID')
param partnerCloud = readEnvironmentVariable('PARTNER_CENTER_CLOUD', 'global')
param credential = readEnvironmentVariable('PARTNER_CENTER_CREDENTIAL', 'secret')
param storedSecretNames = split(readEnvironmentVariable('STORED_SECRETS', ''), ',')
param operatorPrincipalId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param operatorPrincipalType = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User')
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')
