import { getCACertificates, setDefaultCACertificates } from 'node:tls'

/** Makes this process trust a simulator, as NODE_EXTRA_CA_CERTS does for one that is started. */
export const trust = (certificate: string): void =>
  setDefaultCACertificates([...getCACertificates('default'), certificate])
