import { expect, test } from 'vitest'
import { networkConfiguration } from '#cni/daemon/ranges/network-configuration.ts'
import { lint } from '#cni/lint/lint.ts'
import { NO_NEIGHBOURS } from '#cni/lint/rules/overlaps.ts'
import { parseNetworkList } from '#cni/runner/network-list.ts'
import type { Cidr } from '#values/cidr.ts'
import { setOf } from '../../../support/leases.ts'

// What the daemon writes is a configuration that lint has nothing to say about, and that names no range.

function written(subnets: readonly string[], ring?: string) {
  const choice = { masquerade: 'node', ...(ring !== undefined && { ring: ring as Cidr }) } as const
  const text = networkConfiguration({ sets: subnets.map(setOf) }, choice)
  expect(lint({ file: '10-switchyard.conflist', text }, NO_NEIGHBOURS)).toEqual([])
  const [{ ipam }] = parseNetworkList(text).plugins as unknown as [{ readonly ipam: object }]
  return ipam
}

test('of a Node: a default route of each family it has a range of', () => {
  expect(written(['10.244.7.0/24', 'fd00:7::/64'])).toEqual({
    type: 'switchyard',
    routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
  })
  expect(written(['10.244.7.0/24'])).toMatchObject({ routes: [{ dst: '0.0.0.0/0' }] })
})

test('of the ring: pods of other nodes are in the same subnet, and reached over the gateway all the same', () => {
  expect(written(['10.32.0.0/12'], '10.32.0.0/12')).toMatchObject({
    routes: [{ dst: '10.32.0.0/13' }, { dst: '10.40.0.0/13' }, { dst: '0.0.0.0/0' }],
  })
})
