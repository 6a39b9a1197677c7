import {
  AzureCliCredential,
  AzureDeveloperCliCredential,
  AzurePowerShellCredential,
  ChainedTokenCredential,
  EnvironmentCredential,
  type TokenCredential,
} from '@azure/identity'

/** The developer's environment variables, then whoever signed in with one of Microsoft's command lines. */
export const createDeveloperCredential = (options: { authorityHost?: string }): TokenCredential =>
  new ChainedTokenCredential(
    new EnvironmentCredential(options),
    new AzureCliCredential(options),
    new AzureDeveloperCliCredential(options),
    new AzurePowerShellCredential(options),
  )
