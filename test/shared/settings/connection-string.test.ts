import { BlobServiceClient } from '@azure/storage-blob'
import { QueueServiceClient } from '@azure/storage-queue'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { connectionStringFault } from '../../../shared/settings/connection-string.ts'

const both = ['Blob', 'Queue'] as const

describe('a storage connection string', () => {
  test.each([
    ['AccountName=foo', 'AccountKey'],
    ['BlobEndpoint=x', 'BlobEndpoint'],
    ['BlobEndpoint=https://a.example;QueueEndpoint=ftp://a.example;SharedAccessSignature=s', 'QueueEndpoint'],
    ['BlobEndpoint=https://a.example;SharedAccessSignature=s', 'QueueEndpoint'],
    ['BlobEndpoint=https://a.example;QueueEndpoint=https://a.example;SharedAccessSignature=', 'SharedAccessSignature'],
    ['DefaultEndpointsProtocol=https;AccountName=a;AccountKey=;EndpointSuffix=core.windows.net', 'AccountKey'],
    ['DefaultEndpointsProtocol=https;AccountName=a;AccountKey=not base64;EndpointSuffix=x.net', 'AccountKey'],
    ['DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5', 'EndpointSuffix'],
    ['DefaultEndpointsProtocol=ftp;AccountName=a;AccountKey=a2V5;EndpointSuffix=x.net', 'DefaultEndpointsProtocol'],
    ['AccountName=a;AccountKey=a2V5;EndpointSuffix=x.net', 'DefaultEndpointsProtocol'],
    ['DefaultEndpointsProtocol=https;AccountKey=a2V5;EndpointSuffix=x.net', 'AccountName'],
    ['DefaultEndpointsProtocol=https;AccountName=a b;AccountKey=a2V5;EndpointSuffix=x.net', 'AccountName'],
    ['UseDevelopmentStorage=trueish', 'AccountName'],
    ['hello', 'Name=value'],
    ['', 'AccountName'],
  ])('a storage connection string: %j is refused with the name of what is wrong', (text, named) => {
    expect(connectionStringFault(text, both)).toContain(named)
  })

  test('a storage connection string for blobs needs no queue endpoint', () => {
    const blobOnly = 'BlobEndpoint=https://a.example;SharedAccessSignature=sv=1'
    expect(connectionStringFault(blobOnly, ['Blob'])).toBeUndefined()
  })

  test('a storage connection string that is accepted is one that the storage SDKs accept, whatever it is made of', () => {
    const odd = fc.constantFrom('', 'x', 'https://', 'ftp://a', 'a b', '!', 'a2V5;', '=')
    const part = (...good: string[]) => fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...good) }, odd)
    const url = part('https://a.example', 'http://127.0.0.1:1/a', 'https://a.blob.core.windows.net/')
    const parts = {
      DefaultEndpointsProtocol: part('https', 'http', 'HTTPS'),
      AccountName: part('a', 'devstoreaccount1'),
      AccountKey: part('a2V5', 'a2U='),
      EndpointSuffix: part('core.windows.net', 'core.chinacloudapi.cn'),
      BlobEndpoint: url,
      QueueEndpoint: url,
      SharedAccessSignature: part('sv=1&sig=a', '?sv=1'),
    }
    let accepted = 0
    fc.assert(
      fc.property(fc.record(parts, { requiredKeys: [] }), chosen => {
        const text = Object.entries(chosen)
          .map(pair => pair.join('='))
          .join(';')
        if (connectionStringFault(text, both) !== undefined) return
        accepted++
        BlobServiceClient.fromConnectionString(text).getContainerClient('c')
        QueueServiceClient.fromConnectionString(text).getQueueClient('q')
      }),
      { numRuns: 5000 },
    )
    expect(accepted).toBeGreaterThan(100)
  })
})
