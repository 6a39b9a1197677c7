import { BlobServiceClient } from '@azure/storage-blob'
import { expect, test } from 'vitest'
import { startAzurite } from '../../../local/processes/azurite.ts'

test('starts at once on the usual ports go on: who comes second takes others', async () => {
  const all = await Promise.all([1, 2, 3].map(() => startAzurite({ usual: true })))
  try {
    expect(new Set(all.map(({ blobUrl }) => blobUrl)).size).toBe(3)
    for (const { connectionString } of all) {
      const service = await BlobServiceClient.fromConnectionString(connectionString).getProperties()
      expect(service).toHaveProperty('requestId')
    }
  } finally {
    await Promise.all(all.map(each => each.stop()))
  }
}, 60_000)
