using 'main.bicep'

// The parameters for azd. Its environment (azd env set NAME VALUE) has the values.
param partnerTenantId = readEnvironmentVariable('PARTNER_CENTER_TENANT_ID')
param partnerClientId = readEnvironmentVariable('PARTNER_CENTER_CLIENT_ID')
param partnerCloud = readEnvironmentVariable('PARTNER_CENTER_CLOUD', 'global')
param credential = readEnvironmentVariable('PARTNER_CENTER_CREDENTIAL', 'secret')
// Separated by commas. Names contain no spaces, so spaces around a comma are removed.
param storedSecretNames = split(replace(readEnvironmentVariable('STORED_SECRETS', ''), ' ', ''), ',')
// azd sets the id of the signed-in identity, but not its type. A pipeline sets AZURE_PRINCIPAL_TYPE to
// ServicePrincipal.
param operatorPrincipalId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param operatorPrincipalType = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User')
param recoverVault = bool(readEnvironmentVariable('RECOVER_VAULT', 'false'))
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')
