import { describe, expect, test } from 'vitest'
import { joined } from '#ipam/ring/changes.ts'
import { divided } from '#ipam/ring/division.ts'
import { emptyRing, type Ring } from '#ipam/ring/ring.ts'
import { ringStatus } from '#ipam/ring/ring-status.ts'
import { ringOf, ringText } from '#ipam/ring/ring-text.ts'
import type { Cidr } from '#values/cidr.ts'

const RANGE = '10.32.0.0/12' as Cidr
const peers = ['n1', 'n2', 'n3'].map(name => ({ name, uid: `u${name.slice(1)}` }))
const ring = divided(peers.reduce(joined, emptyRing(RANGE)), { mode: 'consensus', peers: 3 }) as Ring

describe('the text of a ring', () => {
  test('is the ring again', () => {
    expect(ringOf(ringText(ring))).toEqual(ring)
    expect(ringText(ring)).toContain('"nodes":[["n1","u1"],["n2","u2"],["n3","u3"]],"tokens":[["10.32.0.0",0,1],')
  })

  test('has room for five thousand nodes in a ConfigMap', () => {
    const many = Array.from({ length: 5000 }, (_, i) => ({
      name: `ip-10-0-${i}.eu-west-1.compute.internal`,
      uid: '0a1b2c3d-0000-4000-8000-000000000000',
    }))
    const large = divided({ ...emptyRing(RANGE), peers: many }, { mode: 'consensus', peers: 5000 }) as Ring
    const requests = many.map(peer => ({ ...peer, addresses: 64, of: peer.name, denied: [] }))
    expect(Buffer.byteLength(ringText({ ...large, requests }))).toBeLessThan(2 ** 20)
  })

  const changed = (from: string, to: string) => ringOf(ringText(ring).replace(from, to))
  test.each([
    ['{', 'it is no JSON', '{', ''],
    ['another family', 'range: "fd00::/64"', '"range":"10.32.0.0/12"', '"range":"fd00::/64"'],
    ['host bits', 'range: "10.33.0.0/12"', '"range":"10.32.0.0/12"', '"range":"10.33.0.0/12"'],
    ['a token outside', '10.99.0.0 of n3 is not in 10.32.0.0/12', '10.44.0.0', '10.99.0.0'],
    ['a token twice', 'is not behind that of n1', '10.40.0.0', '10.32.0.0'],
    ['an epoch of nothing', 'has no epoch', '"10.32.0.0",0,1', '"10.32.0.0",0,0'],
    ['no name', 'nodes: is not a list', '["n2","u2"]', '["2"]'],
    ['a node that is not listed', 'tokens: is not a list', '"10.32.0.0",0,1', '"10.32.0.0",7,1'],
    ['a peer that is not listed', 'peers: is not a list', '"peers":[', '"peers":[3,'],
  ])('%s is refused', (_, why, from, to) => {
    expect(changed(from, to)).toContain(why)
  })
})

test('the status has Weave’s columns', () => {
  const view = { ring, self: peers[1]!, active: 12, reachable: new Set(['u1(n1)']) }
  expect(ringStatus(view)).toEqual([
    'u2(n2)                                  262144 IPs (25.0% of total) (12 active)',
    'u1(n1)                                  524288 IPs (50.0% of total)',
    'u3(n3)                                  262144 IPs (25.0% of total) - unreachable!',
  ])
})
