import { BlobServiceClient } from '@azure/storage-blob'
import { expect, test } from 'vitest'
import { startAzurite } from '../../../local/processes/azurite.ts'

test('two simultaneous starts work: the second one takes other ports', async () => {
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
