using 'main.bicep'

// What azd deploys: its environment (azd env set NAME VALUE) fills in the values.
param partnerTenantId = readEnvironmentVariable('PARTNER_CENTER_TENANT_ID')
param partnerClientId = readEnvironmentVariable('PARTNER_CENTER_CLIENT_ID')
param partnerCloud = readEnvironmentVariable('PARTNER_CENTER_CLOUD', 'global')
param credential = readEnvironmentVariable('PARTNER_CENTER_CREDENTIAL', 'secret')
// Separated by commas; names hold no spaces, so those around a comma are dropped.
param storedSecretNames = split(replace(readEnvironmentVariable('STORED_SECRETS', ''), ' ', ''), ',')
// azd sets the id of whoever is signed in, but not its type: a pipeline sets AZURE_PRINCIPAL_TYPE to ServicePrincipal.
param operatorPrincipalId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param operatorPrincipalType = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User')
param recoverVault = bool(readEnvironmentVariable('RECOVER_VAULT', 'false'))
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')
