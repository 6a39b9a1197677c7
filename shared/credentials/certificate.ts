import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { AppError } from '../errors.ts'
import { dayOf } from '../formats/days.ts'
import type { ClientProof } from './authority.ts'
import type { Secret } from './secrets.ts'

type ClientCertificate = {
  proof: ClientProof
  /** Milliseconds since 1970 UTC. */
  expiresAt: number
}

/** Says why the certificate cannot be used and how to fix that. */
const unusable = (name: string, what: string, cause?: unknown): AppError =>
  new AppError('credential_rejected', `The Key Vault secret '${name}' ${what}`, { cause })

/**
 * Reads the client certificate in a Key Vault secret. The secret contains PEM text, or a PFX without a password in
 * base64, which is how Key Vault returns its own certificates
 * (learn.microsoft.com/azure/key-vault/certificates/about-certificates). The certificate is never written to disk.
 */
export async function readCertificate(secret: Secret, now: number): Promise<ClientCertificate> {
  const { name, value } = secret
  const pem = value.includes('-----BEGIN') ? value : await pfxToPem(name, value)
  const key = readKey(name, pem)
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  const chain = certificates.map(text => readX509(name, text))
  const leaf = chain.find(certificate => certificate.checkPrivateKey(key))
  if (leaf === undefined) {
    throw unusable(
      name,
      'contains no certificate that matches its private key. Store the certificate together with its key.',
    )
  }
  if (key.asymmetricKeyType !== 'rsa')
    throw unusable(
      name,
      'contains a key that is not RSA. Entra ID requires an RSA key. Create the certificate with one.',
    )
  const expiresAt = Date.parse(leaf.validTo)
  if (expiresAt <= now) {
    throw unusable(
      name,
      `contains a certificate that expired on ${dayOf(expiresAt)}. Renew it, and upload its public part to the app registration.`,
    )
  }
  return {
    expiresAt,
    proof: {
      clientCertificate: {
        thumbprintSha256: leaf.fingerprint256.replaceAll(':', ''),
        privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
        // With the chain, Entra ID can accept a renewed certificate by its subject name.
        x5c: [leaf, ...chain.filter(certificate => certificate !== leaf)].map(String).join('\n'),
      },
    },
  }
}

function readKey(name: string, pem: string): KeyObject {
  const [text] = pem.match(/-----BEGIN (?:RSA |EC |ENCRYPTED )?PRIVATE KEY-----[\s\S]+?-----END [A-Z ]+-----/) ?? []
  if (text === undefined)
    throw unusable(name, 'contains no private key. Store the certificate together with its key, as PEM or PFX.')
  try {
    return createPrivateKey(text)
  } catch (cause) {
    throw unusable(name, 'contains a private key that cannot be read. Store the key without a password.', cause)
  }
}

function readX509(name: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw unusable(
      name,
      'contains a certificate that cannot be read. Store the certificate together with its key, as PEM or PFX.',
      cause,
    )
  }
}

async function pfxToPem(name: string, base64: string): Promise<string> {
  try {
    const { readPfx } = await import('./pfx.ts')
    return readPfx(base64)
  } catch (cause) {
    throw unusable(
      name,
      'is neither PEM nor a PFX without a password. Store the certificate with its key in one of these forms.',
      cause,
    )
  }
}
