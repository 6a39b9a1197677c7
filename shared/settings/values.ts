import type { CloudName } from '../clouds.ts'

/** The environment variables of the process, or of a test. */
export type Environment = Readonly<Record<string, string | undefined>>

export type CredentialKind = 'secret' | 'certificate' | 'federated' | 'refresh-token'

/** How to connect to blobs or queues: a connection string, or a service URL with an Azure identity. */
export type StorageConnection =
  | { kind: 'connection-string'; connectionString: string }
  | { kind: 'identity'; blobServiceUri: string; queueServiceUri?: string; clientId?: string }

export type Settings = {
  partnerTenantId: string
  clientId: string
  cloud: CloudName
  credential: CredentialKind
  /** Partner Center REST host, without `/v1` and without a slash at the end. */
  baseUrl: string
  /** Host that issues tokens, without a slash at the end. */
  authority: string
  /** Resource the access token is for. */
  audience: string
  keyVaultUri?: string
  secretNames: { clientSecret: string; certificate: string; refreshToken: string }
  requestsPerMinute: number
  concurrency: number
  deadlineSeconds: number
  /** True if the activity log is followed between snapshots. */
  followsLog: boolean
  snapshots: {
    container: string
    /** Lower-case tenant ids, or undefined for all customers. */
    customers?: string[]
    customersPerPart: number
    /** Minutes after which a run is ended. Undefined for the default, which depends on the number of customers. */
    overdueMinutes?: number
  }
  hostStorage: StorageConnection
  snapshotStorage: StorageConnection
  /** Client id of the user-assigned managed identity, if the app has one. */
  managedIdentityClientId?: string
  /** True on the Azure Functions platform, where a managed identity signs in. */
  inAzure: boolean
}
