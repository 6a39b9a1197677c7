/** What is loaded of MSAL: named here, so that the bundle holds nothing else of it. */
export { ConfidentialClientApplication } from '@azure/msal-node'
