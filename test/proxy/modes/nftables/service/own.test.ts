import { describe, expect, test } from 'vitest'
import { endpoint, ip, port, service, slice, slicePort } from '../../../../support/objects.ts'
import { added } from '../scene.ts'

const HERE = { nodeName: 'here' }
const THERE = { nodeName: 'there' }
const PODS = slice('shop/cart-1', 'shop/cart', [endpoint('10.244.1.2', HERE), endpoint('10.244.2.3', THERE)])
const FAR = slice('shop/cart-1', 'shop/cart', [endpoint('10.244.2.3', THERE)])

const MARK = 'meta mark set meta mark | 0x4000'

describe('policy Local at outward addresses', () => {
  const cart = service('shop/cart', ['10.96.0.10'], { externalPolicy: 'Local', externalIPs: [ip('198.18.0.7')] })

  test('gets chains of its own, which ask where the packet is from', () => {
    const rules = added([cart, PODS])
    const own = [...rules].filter(([unit]) => unit.startsWith('chain ') && unit.includes('/'))
    expect(
      own.map(
        ([unit, text]) => `${unit.replace(/-[A-Z2-7]{8}-/, '-HASH-')}:\n${text.replaceAll(/-[A-Z2-7]{8}-/g, '-HASH-')}`,
      ),
    ).toEqual([
      [
        'chain external-HASH-shop/cart/tcp/:',
        'ip saddr 10.244.0.0/16 goto service-HASH-shop/cart/tcp/',
        `fib saddr type local ${MARK}`,
        'fib saddr type local goto service-HASH-shop/cart/tcp/',
        'goto local-HASH-shop/cart/tcp/',
      ].join('\n'),
      'chain local-HASH-shop/cart/tcp/:\nmeta l4proto tcp dnat ip to numgen random mod 1 map { 0 : 10.244.1.2 . 8080 }',
      'chain service-HASH-shop/cart/tcp/:\nmeta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.244.1.2 . 8080 , 1 : 10.244.2.3 . 8080 }',
    ])
  })

  test('masquerades a pod of another node that finds itself', () => {
    const pairs = (rules: ReadonlyMap<string, string>) =>
      [...rules.keys()].filter(unit => unit.startsWith('element hairpin'))
    expect(pairs(added([cart, PODS]))).toEqual([
      'element hairpin 10.244.1.2 . 10.244.1.2',
      'element hairpin 10.244.2.3 . 10.244.2.3',
    ])
    expect(pairs(added([service('shop/cart', ['10.96.0.10']), PODS]))).toEqual([
      'element hairpin 10.244.1.2 . 10.244.1.2',
    ])
  })

  test('leaves the cluster IP to the maps', () =>
    expect(added([cart, PODS]).get('element service-ips 10.96.0.10 . tcp . 80')).toBe(
      'comment "shop/cart" : goto cluster-ip-lb-tcp-2',
    ))

  test('leads no packet to a chain that is not there', () => {
    const rules = added([cart, FAR])
    const text = [...rules].find(([unit]) => unit.startsWith('chain external-'))![1]
    expect(text).not.toContain('goto local-')
  })
})

describe('clients that come back', () => {
  const sticky = service('shop/cart', ['10.96.0.10'], {
    stickySeconds: 600,
    ports: [port({ name: 'http', port: 80, nodePort: 30080 })],
  })
  const pods = slice('shop/cart-1', 'shop/cart', [endpoint('10.244.1.2', HERE), endpoint('10.244.2.3')], {
    ports: [slicePort(8080, 'http')],
  })
  const rules = added([sticky, pods])
  const chain = (prefix: string): string => [...rules].find(([unit]) => unit.startsWith(`chain ${prefix}-`))![1]
  const [first, second] = [...rules.keys()]
    .filter(unit => unit.startsWith('set affinity-'))
    .map(unit => unit.slice('set affinity-'.length))
    .sort((a, b) => (a.slice(8) < b.slice(8) ? -1 : 1))

  test('are kept in a set for each endpoint, by the names kube-proxy gives them', () => {
    expect(first).toMatch(/^[A-Z2-7]{8}-shop\/cart\/tcp\/http__10\.244\.1\.2\/8080$/)
    expect(rules.get(`set affinity-${first}`)).toBe('type ipv4_addr ; flags dynamic,timeout')
    expect(rules.get(`chain endpoint-${first}`)).toBe(
      `update @affinity-${first} { ip saddr timeout 600s }\nmeta l4proto tcp dnat to 10.244.1.2:8080`,
    )
  })

  test('are looked up first; all others go to any endpoint', () =>
    expect(chain('service')).toBe(
      [
        `ip saddr @affinity-${first} goto endpoint-${first}`,
        `ip saddr @affinity-${second} goto endpoint-${second}`,
        `numgen random mod 2 vmap { 0 : goto endpoint-${first} , 1 : goto endpoint-${second} }`,
      ].join('\n'),
    ))

  test('share their memory between the frontends, but not who is masqueraded', () => {
    const service = [...rules.keys()].find(unit => unit.startsWith('chain service-'))!.slice('chain '.length)
    expect(chain('internal')).toBe(`ip saddr != 10.244.0.0/16 ${MARK}\ngoto ${service}`)
    expect(chain('external')).toBe(`${MARK}\ngoto ${service}`)
    expect(rules.get('element service-ips 10.96.0.10 . tcp . 80')).toContain(': goto internal-')
    expect(rules.get('element service-nodeports tcp . 30080')).toContain(': goto external-')
  })

  test('are all masqueraded where all clients are', () => {
    const all = added([sticky, pods], 'ipv4', { masquerade: 'all' })
    expect([...all].find(([unit]) => unit.startsWith('chain internal-'))![1]).toMatch(
      new RegExp(`^${MARK.replace('|', '\\|')}\n`),
    )
  })

  test('keep their endpoints in the words of IPv6 too', () => {
    const six = added(
      [
        service('shop/cart', ['fd10:96::10'], { stickySeconds: 600 }),
        slice('shop/cart-1', 'shop/cart', [endpoint('fd00:244:1::2', HERE)]),
      ],
      'ipv6',
    )
    const [unit, text] = [...six].find(([unit]) => unit.startsWith('chain endpoint-'))!
    expect(unit).toMatch(/-shop\/cart\/tcp\/__fd00\.244\.1\.\.2\/8080$/)
    expect(text).toMatch(/\{ ip6 saddr timeout 600s \}\nmeta l4proto tcp dnat to \[fd00:244:1::2\]:8080$/)
  })
})
