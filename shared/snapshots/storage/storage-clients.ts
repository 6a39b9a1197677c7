import type { TokenCredential } from '@azure/identity'
import type { ContainerClient } from '@azure/storage-blob'
import type { QueueClient } from '@azure/storage-queue'
import { AppError } from '../../errors.ts'
import { createStorageHttpClient } from '../../runtime/azure-http.ts'
import type { StorageConnection } from '../../settings.ts'

/** Creates a credential for storage. The client id selects a user-assigned identity. */
type SignIn = (clientId: string | undefined) => Promise<TokenCredential>

export async function createContainerClient(
  connection: StorageConnection,
  name: string,
  signIn: SignIn,
): Promise<ContainerClient> {
  const [{ BlobServiceClient }, httpClient] = await Promise.all([
    import('@azure/storage-blob'),
    createStorageHttpClient(),
  ])
  const service =
    connection.kind === 'connection-string'
      ? BlobServiceClient.fromConnectionString(connection.connectionString, { httpClient })
      : new BlobServiceClient(connection.blobServiceUri, await signIn(connection.clientId), { httpClient })
  return service.getContainerClient(name)
}

export async function createQueueClient(
  connection: StorageConnection,
  name: string,
  signIn: SignIn,
): Promise<QueueClient> {
  const [{ QueueServiceClient }, httpClient] = await Promise.all([
    import('@azure/storage-queue'),
    createStorageHttpClient(),
  ])
  if (connection.kind === 'connection-string') {
    return QueueServiceClient.fromConnectionString(connection.connectionString, { httpClient }).getQueueClient(name)
  }
  if (connection.queueServiceUri === undefined) {
    throw new AppError('app_misconfigured', 'Settings to fix: AzureWebJobsStorage__queueServiceUri is required.')
  }
  return new QueueServiceClient(connection.queueServiceUri, await signIn(connection.clientId), {
    httpClient,
  }).getQueueClient(name)
}
