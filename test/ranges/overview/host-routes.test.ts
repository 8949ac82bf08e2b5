import { expect, test } from 'vitest'
import { hostRoutes } from '#ranges/overview/host-routes.ts'
import type { InterfaceAddress } from '#system/network/network.ts'
import type { Family } from '#values/address.ts'
import { cidr, ip } from '../../ipam/overview/facts.ts'

const address = { link: 2, scope: 'global', address: ip('192.0.2.7'), prefixLength: 24 }
const host = {
  addresses: async () => [{ ...address, isTentative: false, hasDadFailed: false } satisfies InterfaceAddress],
  routes: async (family: Family) =>
    (family === 'ipv4' ? ['0.0.0.0/0', '192.0.2.0/24', '10.0.0.0/8', '10.0.0.0/8'] : ['::/0', 'fd00:7::/64']).map(
      text => ({ destination: cidr(text) }),
    ),
}

test('of a node lead where they lead, without the default routes', async () => {
  expect(await hostRoutes(host, [ip('192.0.2.6'), ip('192.0.2.7')])).toEqual([
    '192.0.2.0/24',
    '10.0.0.0/8',
    'fd00:7::/64',
  ])
})

test('of ours to the ranges of other nodes are left out', async () => {
  const ours = { destination: cidr('10.40.0.0/14'), protocol: 115 }
  const routes = async (family: Family) => (family === 'ipv4' ? [ours, { destination: cidr('10.9.0.0/16') }] : [])
  expect(await hostRoutes({ ...host, routes }, [ip('192.0.2.7')])).toEqual(['10.9.0.0/16'])
})

test('of a host that is no node are left out', async () => {
  expect(await hostRoutes(host, [ip('192.0.2.6')])).toEqual([])
})
