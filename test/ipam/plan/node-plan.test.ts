import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodePlan, type PlanRequest, usualNodeMask } from '#ipam/plan/node-plan.ts'
import { planJson, planText } from '#ipam/plan/plan-text.ts'
import { type Cidr, contains, parseCidr } from '#values/cidr.ts'
import { address } from '../../support/leases.ts'

function plan(subnet: string, options: Partial<PlanRequest> = {}) {
  const cidr = parseCidr(subnet)!
  return nodePlan({
    ...{ subnet: cidr, nodeMask: usualNodeMask(cidr), podsPerNode: 110, churnPerMinute: 0, cooldownMs: 30_000 },
    ...{ excluded: [], ...options },
  })
}

describe('a plan', () => {
  test('of a /16 is 256 nodes with 253 addresses, more than twice the pods that a node may have', () => {
    expect(plan('10.244.0.0/16')).toMatchObject({
      ...{ nodes: 256n, lostNodes: 0n, perNode: { total: 256n, usable: 253n } },
      ...{ needed: { pods: 110n, surge: 28n, cooling: 0n, total: 138n }, warnings: [] },
    })
  })

  test('counts what cools down where pods come and go', () => {
    expect(plan('10.244.0.0/16', { churnPerMinute: 61 }).needed).toMatchObject({ cooling: 31n, total: 169n })
  })

  test.each([
    ['10.244.0.0/16', { nodeMask: 26 }, ['a node has 61 addresses for 110 pods: 49 of them get none']],
    [
      '10.244.0.0/16',
      { nodeMask: 25 },
      ['a node has 125 addresses and needs 138 at its busiest: new pods wait for one'],
    ],
    [
      '10.244.0.0/16',
      { podsPerNode: 150 },
      [
        "a /24 has fewer than twice as many addresses as pods: where all of a node's pods are replaced at once, some wait",
      ],
    ],
    ['10.244.7.0/24', {}, ['all of 10.244.7.0/24 is the range of one node']],
    [
      'fd00::/40',
      {},
      ["kube-controller-manager gives node ranges at most 16 bits longer than the cluster's, here they are 24 longer"],
    ],
    ['10.96.0.0/16', { excluded: ['10.96.0.0/12' as Cidr] }, ['every range of a node overlaps with that of Services']],
  ])('of %s with %j warns', (subnet, options, warnings) => {
    expect(plan(subnet, options).warnings).toEqual(warnings)
  })

  test('loses as many nodes as ranges overlap with those of Services', () => {
    const bits = fc.integer({ min: 16, max: 28 })
    const third = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(fc.array(fc.tuple(third, bits), { maxLength: 4 }), ranges => {
        const excluded = ranges.map(([byte, length]) => parseCidr(`10.1.${byte}.0/${length}`)!)
        const { nodes, lostNodes } = plan('10.1.0.0/16', { excluded })
        const left = Array.from({ length: 256 }, (_, i) => parseCidr(`10.1.${i}.0/24`)!).filter(
          block =>
            !excluded.some(range => {
              const [inner, outer] = [address(range.split('/')[0]!), address(block.split('/')[0]!)]
              return contains(block, inner) || contains(range, outer)
            }),
        )
        expect([nodes, lostNodes]).toEqual([BigInt(left.length), BigInt(256 - left.length)])
      }),
    )
  })

  test('is printed below the block of the subnet, in the same columns', () => {
    const subnet = parseCidr('10.19.9.9/16')!
    const request = { excluded: [parseCidr('10.19.0.0/20')!], churnPerMinute: 60, nodeMask: 25 }
    const lines = planText({ address: address('10.19.9.9'), subnet }, plan(subnet, request)).split('\n')
    expect(lines.slice(8)).toEqual([
      'Hosts/Net: 65534                 Class A, Private Internet',
      '',
      'Nodes:     480                   a /25 each; 32 more would overlap with Services',
      'Per node:  125                   of 128: the others are network, broadcast and gateway',
      'Needed:    168                   110 pods, 28 more (25 %) while they are rolled out, 30 cooling down for 30s at 60 pods a minute',
      'Pods:      52800                 at most 110 on each node',
      'Warning:   a node has 125 addresses and needs 168 at its busiest: new pods wait for one',
    ])
  })

  test('is JSON for programs, with numbers of any size', () => {
    const subnet = parseCidr('fd00::/48')!
    expect(JSON.parse(planJson({ address: address('fd00::'), subnet }, plan(subnet)))).toMatchObject({
      ...{ subnet: 'fd00::/48', nodeMask: 64, nodes: 65536, warnings: [] },
      ...{ perNode: { total: '18446744073709551616', usable: '18446744073709551614' }, pods: 7208960 },
    })
  })
})
