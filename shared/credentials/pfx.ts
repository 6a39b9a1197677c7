import forge from 'node-forge'

/** Converts a PFX (PKCS #12) without a password from base64 to PEM: its keys and certificates. Throws if it is not a PFX. */
export function readPfx(base64: string): string {
  if (!/^[A-Za-z0-9+/=\s]+$/.test(base64)) throw new Error('Not base64')
  const pfx = forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(forge.util.decode64(base64)), false, '')
  const bags = (type: string) => pfx.getBags({ bagType: type })[type] ?? []
  const { keyBag = '', pkcs8ShroudedKeyBag = '', certBag = '' } = forge.pki.oids
  const keys = [...bags(pkcs8ShroudedKeyBag), ...bags(keyBag)].flatMap(({ key }) =>
    key ? [forge.pki.privateKeyToPem(key)] : [],
  )
  const certificates = bags(certBag).flatMap(({ cert }) => (cert ? [forge.pki.certificateToPem(cert)] : []))
  return [...keys, ...certificates].join('\n')
}
