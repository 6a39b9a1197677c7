/** What is loaded on the platform of the identity SDK: named here, so that the bundle holds nothing else of it. */
export { ManagedIdentityCredential } from '@azure/identity'
