import { expect, test } from 'vitest'
import { ringAnswer, ringJson } from '#ipam/answers/ring-answer.ts'
import { joined } from '#ipam/ring/changes.ts'
import { divided } from '#ipam/ring/division.ts'
import { emptyRing } from '#ipam/ring/ring.ts'
import { ringText } from '#ipam/ring/ring-text.ts'
import type { Cidr } from '#values/cidr.ts'

const waiting = ['n1', 'n2', 'n3']
  .map(name => ({ name, uid: `u-${name}` }))
  .reduce(joined, emptyRing('10.32.0.0/12' as Cidr))
const ring = divided(waiting, { mode: 'consensus', peers: 3 })!
const seen = { text: ringText(ring), at: 60_000, uid: 'u-n2', active: 12 }

test('the ring is shown as Weave shows it, this node first', () => {
  expect(ringAnswer(seen, 72_000).split('\n')).toEqual([
    '# ring 10.32.0.0/12, as this node knows it for 12s',
    'u-n2(n2)                                262144 IPs (25.0% of total) (12 active)',
    'u-n1(n1)                                524288 IPs (50.0% of total)',
    'u-n3(n3)                                262144 IPs (25.0% of total)',
  ])
  expect(ringJson(seen)).toMatchObject({
    ...{ range: '10.32.0.0/12', size: 1_048_576, at: '1970-01-01T00:01:00.000Z' },
    peers: [
      { name: 'n1', uid: 'u-n1', addresses: 524_288 },
      { name: 'n2', addresses: 262_144, active: 12 },
      { name: 'n3', addresses: 262_144 },
    ],
  })
})

test('a ring that is not made yet says how many nodes are there, and one that cannot be read why', () => {
  expect(ringAnswer({ ...seen, text: ringText(waiting) }, 60_000)).toMatch(/: not made yet, 3 nodes are there$/)
  expect(ringAnswer({ ...seen, text: '{}' }, 60_000)).toMatch(/^the ring cannot be read: range: undefined is not/)
})
