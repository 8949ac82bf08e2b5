import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ServicePort } from '#proxy/cluster/service-ports.ts'
import type { PoolChoice } from '#proxy/desired/pools.ts'
import type { Endpoint } from '#proxy/desired/traffic.ts'
import { admission, externalVerdict, gate, internalVerdict } from '#proxy/desired/verdicts.ts'
import { ip } from '../../support/objects.ts'

const POD: Endpoint = { ip: ip('10.1.0.1'), port: 80, text: '10.1.0.1:80', local: true }
const NONE: PoolChoice = { any: false, cluster: [], local: [], leaving: [] }
const FAR: PoolChoice = { ...NONE, any: true, cluster: [POD] }
const HERE: PoolChoice = { ...FAR, local: [POD] }

function port(more: Partial<ServicePort>): ServicePort {
  const lists = { externalIPs: [], loadBalancerIPs: [], sourceRanges: [], lost: [] }
  return { ...lists, externalPolicy: 'Cluster', internalPolicy: 'Cluster', ...more } as unknown as ServicePort
}

describe('at the cluster IP', () => {
  test.each([
    ['Cluster', NONE, { to: 'reject' }],
    ['Local', NONE, { to: 'reject' }],
    ['Cluster', FAR, { to: 'pool', pool: 'cluster' }],
    ['Local', FAR, { to: 'drop' }],
    ['Cluster', HERE, { to: 'pool', pool: 'cluster' }],
    ['Local', HERE, { to: 'pool', pool: 'local' }],
    // Another node has endpoints, and nothing of this Service draws from the cluster's.
    ['Local', { ...NONE, any: true }, { to: 'drop' }],
  ] as const)('policy %s decides', (internalPolicy, choice, verdict) => {
    expect(internalVerdict(port({ internalPolicy }), choice)).toEqual(verdict)
  })
})

describe('what comes from outside', () => {
  test.each([
    ['an internal Service', {}, HERE, undefined],
    ['a Service without endpoints', { nodePort: 30080 }, NONE, undefined],
    ['policy Cluster', { nodePort: 30080 }, FAR, { policy: 'Cluster' }],
    [
      'policy Local with an endpoint here',
      { nodePort: 30080, externalPolicy: 'Local' },
      HERE,
      { policy: 'Local', others: 'local' },
    ],
    [
      'policy Local with endpoints elsewhere',
      { nodePort: 30080, externalPolicy: 'Local' },
      FAR,
      { policy: 'Local', others: 'drop' },
    ],
    ['an external address', { externalIPs: [ip('198.18.0.7')] }, FAR, { policy: 'Cluster' }],
    ['a load balancer', { loadBalancerIPs: [ip('198.18.0.8')] }, FAR, { policy: 'Cluster' }],
  ] as const)('meets the gate of %s', (_, more, choice, expected) => {
    expect(gate(port(more), choice)).toEqual(expected)
  })

  test('is rejected where no endpoint on any node could answer', () => {
    expect([externalVerdict(NONE), externalVerdict(FAR)]).toEqual([{ to: 'reject' }, { to: 'gate' }])
  })
})

test('clients are admitted exactly where some endpoint would answer them', () => {
  const policy = fc.constantFrom('Cluster', 'Local')
  const choices = fc.constantFrom(NONE, FAR, HERE)
  fc.assert(
    fc.property(policy, policy, choices, (internalPolicy, externalPolicy, choice) => {
      const spec = port({ internalPolicy, externalPolicy, nodePort: 30080 })
      const outside = gate(spec, choice)
      const inner = internalVerdict(spec, choice)
      expect(admission(inner, outside)).toBe(inner.to === 'pool' && choice[inner.pool].length > 0 ? 'all' : 'none')
      const outward = admission(externalVerdict(choice), outside)
      const forOthers = externalPolicy === 'Local' ? choice.local : choice.cluster
      expect(outward).toBe(forOthers.length > 0 ? 'all' : choice.any ? 'insiders' : 'none')
    }),
  )
})
