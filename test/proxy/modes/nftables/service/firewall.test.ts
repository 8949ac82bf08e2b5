import { describe, expect, test } from 'vitest'
import { cidr, endpoint, ip, service, slice } from '../../../../support/objects.ts'
import { added } from '../scene.ts'

const HERE = { nodeName: 'here' }
const THERE = { nodeName: 'there' }
const PODS = slice('shop/cart-1', 'shop/cart', [endpoint('10.244.1.2', HERE), endpoint('10.244.2.3', THERE)])

describe('source ranges', () => {
  const guarded = (more = {}) =>
    service('shop/cart', ['10.96.0.10'], {
      type: 'LoadBalancer',
      loadBalancerIPs: [ip('198.18.0.8')],
      externalIPs: [ip('198.18.0.7')],
      sourceRanges: [cidr('10.99.0.0/24'), cidr('203.0.113.7/32')],
      ...more,
    })
  const firewall = (rules: ReadonlyMap<string, string>): string =>
    [...rules].find(([unit]) => unit.startsWith('chain firewall-'))![1]

  test('stand before the load balancer address, and only there', () => {
    const rules = added([guarded(), PODS])
    expect(firewall(rules)).toBe('ip saddr 10.99.0.0/24 return\nip saddr 203.0.113.7 return\ndrop')
    expect([...rules.keys()].filter(unit => unit.startsWith('element firewall-ips'))).toEqual([
      'element firewall-ips 198.18.0.8 . tcp . 80',
    ])
    expect(rules.get('element service-ips 198.18.0.8 . tcp . 80')).toBe('comment "shop/cart" : goto external-lb-tcp-2')
  })

  test('let the load balancer address itself in where the node is inside a range', () => {
    const at = (nodeIP: string): string => firewall(added([guarded(), PODS], 'ipv4', { view: { nodeIP: ip(nodeIP) } }))
    expect(at('10.99.0.2')).toContain('ip saddr 198.18.0.8 return')
    expect(at('10.98.0.2')).not.toContain('198.18.0.8')
  })

  test('hold where there is no endpoint, too', () => {
    expect(firewall(added([guarded()]))).toMatch(/drop$/)
  })
})
