import { describe, expect, test } from 'vitest'
import { cidr, endpoint, ip, name, port, service, slice, slicePort } from '../../../../support/objects.ts'
import { unit } from '../../../../support/units.ts'
import { added, bookOf } from '../scene.ts'

const HERE = { nodeName: 'here' }
const THERE = { nodeName: 'there' }
const PODS = slice('shop/cart-1', 'shop/cart', [endpoint('10.244.1.2', HERE), endpoint('10.244.2.3', THERE)])
const FAR = slice('shop/cart-1', 'shop/cart', [endpoint('10.244.2.3', THERE)])

const MARK = 'meta mark set meta mark | 0x4000'
const pick = (n: number): string => `dnat ip to ip daddr . tcp dport . numgen random mod ${n} map @endpoints-tcp`

describe('a plain service', () => {
  test('lives in maps alone, and shares its only chain with every service of as many endpoints', () => {
    expect(Object.fromEntries(added([service('shop/cart', ['10.96.0.10']), PODS]))).toEqual({
      'chain cluster-ip-lb-tcp-2': `ip saddr != 10.244.0.0/16 ${MARK}\n${pick(2)}`,
      'element cluster-ips 10.96.0.10': '',
      'element endpoints-tcp 10.96.0.10 . 80 . 0': ': 10.244.1.2 . 8080',
      'element endpoints-tcp 10.96.0.10 . 80 . 1': ': 10.244.2.3 . 8080',
      'element hairpin 10.244.1.2 . 10.244.1.2': '',
      'element service-ips 10.96.0.10 . tcp . 80': 'comment "shop/cart" : goto cluster-ip-lb-tcp-2',
    })
  })

  test('speaks IPv6 in the same way', () => {
    const pods = slice('shop/cart-1', 'shop/cart', [endpoint('fd00:244:1::2', HERE)])
    expect(Object.fromEntries(added([service('shop/cart', ['fd10:96::10']), pods], 'ipv6'))).toEqual({
      'chain cluster-ip-lb-tcp-1': `ip6 saddr != fd00:244::/32 ${MARK}\ndnat ip6 to ip6 daddr . tcp dport . numgen random mod 1 map @endpoints-tcp`,
      'element cluster-ips fd10:96::10': '',
      'element endpoints-tcp fd10:96::10 . 80 . 0': ': fd00:244:1::2 . 8080',
      'element hairpin fd00:244:1::2 . fd00:244:1::2': '',
      'element service-ips fd10:96::10 . tcp . 80': 'comment "shop/cart" : goto cluster-ip-lb-tcp-1',
    })
  })

  test('masquerades clients from outside the cluster, at an address or a node port', () => {
    const rules = added([
      service('shop/cart', ['10.96.0.10'], {
        ports: [port({ name: 'http', port: 80, nodePort: 30080 })],
        externalIPs: [ip('198.18.0.7')],
        loadBalancerIPs: [ip('198.18.0.8')],
      }),
      slice('shop/cart-1', 'shop/cart', [endpoint('10.244.1.2', HERE)], { ports: [slicePort(8080, 'http')] }),
    ])
    for (const address of ['198.18.0.7', '198.18.0.8']) {
      expect(rules.get(`element service-ips ${address} . tcp . 80`)).toBe(
        'comment "shop/cart:http" : goto external-lb-tcp-1',
      )
      expect(rules.get(`element endpoints-tcp ${address} . 80 . 0`)).toBe(': 10.244.1.2 . 8080')
    }
    expect(rules.get('chain external-lb-tcp-1')).toBe(`${MARK}\n${pick(1)}`)
    expect(rules.get('element service-nodeports tcp . 30080')).toBe('comment "shop/cart:http" : goto nodeport-lb-tcp-1')
    expect(rules.get('element nodeport-endpoints-tcp 30080 . 0')).toBe(': 10.244.1.2 . 8080')
    expect(rules.get('chain nodeport-lb-tcp-1')).toBe(
      `${MARK}\ndnat ip to tcp dport . numgen random mod 1 map @nodeport-endpoints-tcp`,
    )
  })

  test('has one way in where one address is two things to it: the cluster IP', () => {
    const rules = added([service('shop/cart', ['10.96.0.10'], { externalIPs: [ip('10.96.0.10')] }), PODS])
    expect(rules.get('element service-ips 10.96.0.10 . tcp . 80')).toBe(
      'comment "shop/cart" : goto cluster-ip-lb-tcp-2',
    )
    expect(rules.has('chain external-lb-tcp-2')).toBe(false)
  })

  test('needs as many chains for a hundred of its kind as for one', () => {
    const many = Array.from({ length: 100 }, (_, i) => [
      service(`shop/s${i}`, [`10.96.1.${i}`]),
      slice(`shop/s${i}-1`, `shop/s${i}`, [endpoint(`10.244.1.${i}`, HERE), endpoint(`10.244.2.${i}`, THERE)]),
    ])
    const chains = [...added(many.flat()).keys()].filter(unit => unit.startsWith('chain '))
    expect(chains).toEqual(['chain cluster-ip-lb-tcp-2'])
  })
})

describe('a balancer', () => {
  test('comes with the first service that needs it and goes with the last', () => {
    const book = bookOf([service('shop/cart', ['10.96.0.10']), PODS])
    const owners = [...book.owners()].filter(owner => owner.startsWith('shop/'))
    expect(book.rules.has(unit('chain cluster-ip-lb-tcp-2'))).toBe(true)
    for (const owner of owners) book.remove(owner)
    expect(book.rules.has(unit('chain cluster-ip-lb-tcp-2'))).toBe(false)
  })

  test('marks no packet at cluster IPs where nothing says which clients are outside', () => {
    const rules = added([service('shop/cart', ['10.96.0.10']), PODS], 'ipv4', { masquerade: 'never' })
    expect(rules.get('chain lb-tcp-2')).toBe(pick(2))
  })

  test('marks every packet where all clients are to be masqueraded', () => {
    const rules = added([service('shop/cart', ['10.96.0.10']), PODS], 'ipv4', { masquerade: 'all' })
    expect(rules.get('element service-ips 10.96.0.10 . tcp . 80')).toBe('comment "shop/cart" : goto external-lb-tcp-2')
    expect(rules.get('chain external-lb-tcp-2')).toBe(`${MARK}\n${pick(2)}`)
  })
})

describe('local pods', () => {
  const mark = (localPods: object): string | undefined =>
    added([service('shop/cart', ['10.96.0.10']), PODS], 'ipv4', { view: { localPods: localPods as never } })
      .get('chain cluster-ip-lb-tcp-2')
      ?.split('\n')[0]

  test('are detected by their addresses', () =>
    expect(mark({ by: 'cidr', cidr: cidr('10.1.0.0/16') })).toBe(`ip saddr != 10.1.0.0/16 ${MARK}`))
  test('or by their bridge', () => expect(mark({ by: 'interface', name: 'cni0' })).toBe(`iifname != "cni0" ${MARK}`))
  test('or by the names of their interfaces', () =>
    expect(mark({ by: 'interface-prefix', prefix: 'veth' })).toBe(`iifname != "veth*" ${MARK}`))
})

describe('where there is no endpoint', () => {
  const frontends = { ports: [port({ port: 80, nodePort: 30080 })], externalIPs: [ip('198.18.0.7')] }

  test('clients are refused, at every frontend', () => {
    expect(Object.fromEntries(added([service('shop/cart', ['10.96.0.10'], frontends)]))).toEqual({
      'element cluster-ips 10.96.0.10': '',
      'element no-endpoint-nodeports tcp . 30080': 'comment "shop/cart" : goto reject-chain',
      'element no-endpoint-services 10.96.0.10 . tcp . 80': 'comment "shop/cart" : goto reject-chain',
      'element no-endpoint-services 198.18.0.7 . tcp . 80': 'comment "shop/cart" : goto reject-chain',
    })
  })

  test('but for one on another node, they are dropped, and the way for pods and the node stays open', () => {
    const local = service('shop/cart', ['10.96.0.10'], {
      ...frontends,
      internalPolicy: 'Local',
      externalPolicy: 'Local',
    })
    const rules = added([local, FAR])
    expect(rules.get('element no-endpoint-services 10.96.0.10 . tcp . 80')).toBe('comment "shop/cart" : drop')
    expect(rules.get('element no-endpoint-services 198.18.0.7 . tcp . 80')).toBe('comment "shop/cart" : drop')
    expect(rules.get('element no-endpoint-nodeports tcp . 30080')).toBe('comment "shop/cart" : drop')
    expect(rules.get('element service-ips 198.18.0.7 . tcp . 80')).toMatch(/^comment "shop\/cart" : goto external-/)
    expect(rules.has('element service-ips 10.96.0.10 . tcp . 80')).toBe(false)
  })
})

test('a long name is cut where the kernel would refuse it, and a long comment where nft would', () => {
  const long = `${'n'.repeat(63)}/${'s'.repeat(200)}`
  const rules = added([
    service(long, ['10.96.0.10'], { stickySeconds: 60 }),
    slice(`${'n'.repeat(63)}/x`, long, [endpoint('10.244.1.2', HERE)]),
  ])
  expect(name(long).length).toBeGreaterThan(255)
  for (const [unit, text] of rules) {
    const [, called] = unit.split(' ')
    expect(called!.length).toBeLessThanOrEqual(255)
    for (const [, comment] of text.matchAll(/comment "([^"]*)"/g)) expect(comment!.length).toBeLessThanOrEqual(127)
  }
})
