import { expect, test } from 'vitest'
import type { Ring } from '#ipam/ring/ring.ts'
import { rangesOfNodes, rangesOfRing } from '#ipam/sources/node-ranges.ts'
import { addressNumber, parseAddress } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'

const at = (text: string): number => Number(addressNumber(parseAddress(text)!))
const cidrs = (...texts: readonly string[]) => texts as Cidr[]

test('nodes without podCIDRs have no ranges, and the others are in the order of names', () => {
  const nodes = [
    { name: 'b', uid: 'ub', podCIDRs: cidrs('10.244.2.0/24', 'fd00:2::/64') },
    { name: 'c', uid: 'uc', podCIDRs: [] },
    { name: 'a', uid: 'ua', podCIDRs: cidrs('10.244.1.0/24') },
  ] as unknown as Parameters<typeof rangesOfNodes>[0]
  expect(rangesOfNodes(nodes)).toEqual([
    { name: 'a', uid: 'ua', ranges: ['10.244.1.0/24'], epoch: 1 },
    { name: 'b', uid: 'ub', ranges: ['10.244.2.0/24', 'fd00:2::/64'], epoch: 1 },
  ])
})

test('what a peer of the ring owns is as few routes as can be', () => {
  const ring: Ring = {
    range: '10.32.0.0/24' as Cidr,
    tokens: [
      { name: 'b', uid: 'ub', start: at('10.32.0.0'), epoch: 1 },
      { name: 'a', uid: 'ua', start: at('10.32.0.96'), epoch: 2 },
      { name: 'a', uid: 'ua', start: at('10.32.0.128'), epoch: 1 },
      { name: 'a', uid: '', start: at('10.32.0.192'), epoch: 1 },
    ],
    peers: [],
    requests: [],
    revision: 1,
  }
  expect(rangesOfRing(ring)).toEqual([
    { name: 'a', uid: '', ranges: ['10.32.0.192/26'], epoch: 1 },
    { name: 'a', uid: 'ua', ranges: ['10.32.0.96/27', '10.32.0.128/26'], epoch: 2 },
    { name: 'b', uid: 'ub', ranges: ['10.32.0.0/26', '10.32.0.64/27'], epoch: 1 },
  ])
})
