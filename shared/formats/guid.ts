/** A GUID in either case, as Microsoft writes ids of tenants, customers and apps. */
export const guidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
