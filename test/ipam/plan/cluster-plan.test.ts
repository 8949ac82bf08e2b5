import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ClusterPlanRequest, clusterPlan } from '#ipam/plan/cluster-plan.ts'
import { type Cidr, overlaps, parseCidr } from '#values/cidr.ts'

type Words = Partial<Omit<ClusterPlanRequest, 'clusterRanges' | 'serviceRanges'>> & {
  readonly pods?: readonly (readonly [range: string, nodeMask: number])[]
  readonly services?: readonly string[]
}

function planned({ pods = [['10.244.0.0/16', 24]], services = ['10.96.0.0/16'], ...rest }: Words) {
  return clusterPlan({
    clusterRanges: pods.map(([range, nodeMask]) => ({ range: range as Cidr, nodeMask })),
    serviceRanges: services as Cidr[],
    ...{ nodePorts: { first: 30_000, last: 32_767 }, maxPods: 110, nodes: 0, cooldownMs: 0, ...rest },
  })
}

describe('a cluster that is planned', () => {
  test('has each family by itself, of which the one that is short runs out first', () => {
    const dual = planned({
      pods: [
        ['10.244.0.0/22', 24],
        ['fd00:244::/48', 64],
      ],
      nodes: 6,
    })
    expect(dual.rows.map(({ what, range, fits }) => `${what} ${range} ${fits}`)).toEqual([
      ...['nodes 10.244.0.0/22 4', 'pods of a node /24 253', 'pods 10.244.0.0/22 440'],
      ...['nodes fd00:244::/48 65536', 'pods of a node /64 18446744073709551614', 'pods fd00:244::/48 7208960'],
      ...['Services 10.96.0.0/16 65534', 'node ports 30000-32767 2768'],
    ])
    expect([dual.fits, dual.first]).toEqual([false, 'Runs out first: nodes (10.244.0.0/22): 4 fit, 6 are wanted.'])
  })

  test('is as tight as what is most wanted for what there is, which is not the smallest number', () => {
    // 300 of 256 nodes, and 510 of 253 pods on each.
    expect(planned({ nodes: 300, maxPods: 510 }).first).toContain('Runs out first: pods of a node (/24): 253 fit, 510')
    expect(planned({ nodes: 250 }).first).toContain('nodes (10.244.0.0/16): 250 of 256, 97 %.')
    expect(planned({ nodes: 256 }).first).toContain('256 of 256, 100 %.')
  })

  test('whose pods have the range of Services has no node at all, and is warned of it', () => {
    const none = planned({ services: ['10.240.0.0/12'], nodes: 1 })
    expect([none.fits, none.first]).toEqual([false, 'Runs out first: nodes (10.244.0.0/16): 0 fit, 1 are wanted.'])
    expect(planned({ services: ['10.240.0.0/12'] })).toMatchObject({ fits: false, first: none.first })
    expect(none.warnings[0]).toBe('10.244.0.0/16 overlaps the range of Services 10.240.0.0/12')
  })

  test('counts node ports and Services by their bands, and those of a small range have one', () => {
    const { rows } = planned({ services: ['10.96.0.0/28', 'fd00:96::/112'], nodePorts: { first: 1, last: 17 } })
    expect(rows.slice(3).map(({ range, fits, note }) => `${range} ${fits} ${note}`)).toEqual([
      '10.96.0.0/28 14 too small for a static band',
      'fd00:96::/112 65535 the first 256 are the static band',
      '1-17 17 the first 16 are the static band',
    ])
  })

  test('without any range of pods is limited by nothing', () => {
    expect(planned({ pods: [] })).toMatchObject({ fits: true, first: 'Nothing is limited by these ranges.' })
  })

  test('says a warning once, though both families have it', () => {
    const { warnings } = planned({
      pods: [
        ['10.244.0.0/16', 26],
        ['fd00:244::/48', 122],
      ],
      services: [],
    })
    expect(new Set(warnings).size).toBe(warnings.length)
    expect(warnings.filter(text => text.includes('a node has 61 addresses'))).toHaveLength(1)
  })
})

test('it fits exactly where each node gets a range without Services, and each range has room for its pods', () => {
  const anyServices = fc.array(
    fc.tuple(fc.nat(255), fc.integer({ min: 16, max: 28 })).map(([byte, bits]) => parseCidr(`10.1.${byte}.0/${bits}`)!),
    { maxLength: 3 },
  )
  fc.assert(
    fc.property(
      anyServices,
      fc.integer({ min: 20, max: 28 }),
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 1, max: 300 }),
      (services, nodeMask, nodes, maxPods) => {
        const plan = planned({ pods: [['10.1.0.0/16', nodeMask]], services, nodes, maxPods })
        const size = 2 ** (32 - nodeMask)
        const blocks = Array.from({ length: 2 ** (nodeMask - 16) }, (_, i) => {
          const at = i * size
          return parseCidr(`10.1.${at >> 8}.${at & 255}/${nodeMask}`)!
        }).filter(block => !services.some(range => overlaps(range, block)))
        const room = size - 3
        expect(plan.fits).toBe(Math.max(nodes, 1) <= blocks.length && maxPods <= room)
        expect(plan.first.startsWith(plan.fits ? 'All of it fits.' : 'Runs out first:')).toBe(true)
        const pods = plan.rows.find(({ what }) => what === 'pods')!
        expect(pods.fits).toBe(BigInt(blocks.length * Math.min(room, maxPods)))
      },
    ),
  )
})
