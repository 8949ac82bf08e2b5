import { describe, expect, test } from 'vitest'
import { decodeAs } from '#kubernetes/decode/decode.ts'
import type { Service } from '#kubernetes/objects.ts'

describe('source ranges', () => {
  const V4 = '203.0.113.1'
  const V6 = '2001:db8::1'
  const status = { loadBalancer: { ingress: [{ ip: V4 }, { ip: V6 }] } }
  const shut =
    'status.loadBalancer.ingress: left out, since no usable entry of spec.loadBalancerSourceRanges says who may come in'
  const of = (loadBalancerSourceRanges: unknown): { service: Service; problems: readonly string[] } => {
    const spec = { type: 'LoadBalancer', clusterIP: '10.96.0.10', ports: [{ port: 80 }], loadBalancerSourceRanges }
    const result = decodeAs('Service', { metadata: { namespace: 'shop', name: 'cart' }, spec, status })
    if (!result.ok) throw new Error(result.problems.join('\n'))
    return { service: result.object as Service, problems: result.problems }
  }

  test.each([
    ['absent', undefined, [], [V4, V6]],
    ['none', [], [], [V4, V6]],
    ['with spaces around', [' 10.0.0.0/8 ', '\tfd00::/8\n'], ['10.0.0.0/8', 'fd00::/8'], [V4, V6]],
    ['of one family', ['10.0.0.0/8'], ['10.0.0.0/8'], [V4, V6]],
  ])('%s restrict as they say', (_, ranges, expected, addresses) => {
    const { service, problems } = of(ranges)
    expect(problems).toEqual([])
    expect(service).toMatchObject({ sourceRanges: expected, loadBalancerIPs: addresses })
  })

  test('that are partly wrong restrict by what is right', () => {
    const { service, problems } = of(['10.0.0.0/8', '10.0.0.0/33', 'fd00::/8', 'fd00::/129'])
    expect(service).toMatchObject({ sourceRanges: ['10.0.0.0/8', 'fd00::/8'], loadBalancerIPs: [V4, V6] })
    expect(problems).toHaveLength(2)
  })

  test.each([[['10.0.0.0/33']], [['anything']], [['']], [[null]], [['192.0.2.1']], ['10.0.0.0/8'], [{}]])(
    '%j lets no client in, rather than all',
    ranges => {
      const { service, problems } = of(ranges)
      expect(service).toMatchObject({ sourceRanges: [], loadBalancerIPs: [] })
      expect(problems.at(-1)).toBe(shut)
    },
  )

  test.each([
    [['fd00::/8', '10.0.0.0/33'], [V6]],
    [['10.0.0.0/8', 'fd00::/129'], [V4]],
    [['10.0.0.0/8', 'anything'], [V4]],
  ])('%j lets no client in at the family of which nothing is sure', (ranges, addresses) => {
    const { service, problems } = of(ranges)
    expect(service.loadBalancerIPs).toEqual(addresses)
    expect(problems.at(-1)).toBe(shut)
  })
})
