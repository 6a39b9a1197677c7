import { expect, test } from 'vitest'
import { readCustomerPages } from '../../../shared/partner-center/customers.ts'
import { createOperation } from '../../support/operations.ts'

const id = (number: number): string => `00000000-0000-4000-8000-00000000000${number}`

const read = async (...pages: unknown[]) => {
  const request = async () => ({ status: 200, body: Buffer.from(JSON.stringify(pages.shift())), headers: {} })
  const read = readCustomerPages(request, 'https://api.example.com', createOperation())
  return (await Array.fromAsync(read)).flat()
}

test('a malformed entry does not fail the list', async () => {
  const items = [
    null,
    'text',
    { id: 7 },
    { id: id(1), companyProfile: { companyName: 5, domain: 'a.example' } },
    { id: id(2), companyProfile: [], relationshipToPartner: {} },
    { id: id(3).toUpperCase(), companyProfile: { companyName: 'Contoso' }, relationshipToPartner: 'reseller' },
  ]
  expect(await read({ items, links: [] })).toEqual([
    { customerTenantId: id(1), companyName: '', domain: 'a.example', relationship: 'unknown' },
    { customerTenantId: id(2), companyName: '', domain: '', relationship: 'unknown' },
    { customerTenantId: id(3), companyName: 'Contoso', domain: '', relationship: 'reseller' },
  ])
})

test.each([{}, { items: {} }, { items: [], links: { next: {} } }, []])(
  'a body that is no list is refused: %j',
  async body => {
    await expect(read(body)).rejects.toMatchObject({ code: 'partner_center_invalid_response' })
  },
)
