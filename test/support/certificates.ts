import { createPrivateKey } from 'node:crypto'
import forge from 'node-forge'
import { generate } from 'selfsigned'

export type TestCertificate = { certificate: string; key: string; pem: string; pfx: string }

/** A client certificate in the forms of Key Vault. `days` is its life from now, negative for an expired one. */
export async function createCertificate({ days = 30, keyType = 'rsa' as 'rsa' | 'ec' } = {}): Promise<TestCertificate> {
  const day = 86_400_000
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'partner app' }], {
    keyType,
    keySize: 2048,
    notBeforeDate: new Date(Date.now() - 60 * day),
    notAfterDate: new Date(Date.now() + days * day),
  })
  const pem = `${key}\n${cert}`
  if (keyType === 'ec') return { certificate: cert, key, pem, pfx: '' }
  const traditional = createPrivateKey(key).export({ type: 'pkcs1', format: 'pem' }).toString()
  const asn1 = forge.pkcs12.toPkcs12Asn1(
    forge.pki.privateKeyFromPem(traditional),
    forge.pki.certificateFromPem(cert),
    '',
    {
      algorithm: '3des',
    },
  )
  const pfx = Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1').toString('base64')
  return { certificate: cert, key, pem, pfx }
}
