import { expect, test } from 'vitest'
import { clouds } from '../../shared/clouds.ts'

test('the clouds have the documented addresses', () => {
  const api = 'https://api.partnercenter.microsoft.com'
  const china = 'https://partner.partnercenterapi.microsoftonline.cn'
  expect(clouds).toEqual({
    global: { baseUrl: api, authority: 'https://login.microsoftonline.com', audience: api },
    usgov: { baseUrl: api, authority: 'https://login.microsoftonline.us', audience: api },
    china: { baseUrl: china, authority: 'https://login.partner.microsoftonline.cn', audience: china },
    germany: { baseUrl: api, authority: 'https://login.microsoftonline.de', audience: 'https://graph.cloudapi.de' },
  })
})

test.each(Object.entries(clouds))('the addresses of %s are bare https origins', (_, cloud) => {
  for (const address of Object.values(cloud)) expect(new URL(address).origin).toBe(address)
})
