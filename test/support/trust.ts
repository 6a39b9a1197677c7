import { getCACertificates, setDefaultCACertificates } from 'node:tls'

/** Makes this process trust a simulator, like NODE_EXTRA_CA_CERTS for a new process. */
export const trust = (certificate: string): void =>
  setDefaultCACertificates([...getCACertificates('default'), certificate])
