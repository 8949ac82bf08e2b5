import { describe, expect, test } from 'vitest'
import type { Ruleset } from '#proxy/modes/mode.ts'
import type { Packet } from '#proxy/modes/trace.ts'
import { endpoint, ip, service, slice } from '../../../../support/objects.ts'
import { unit } from '../../../../support/units.ts'
import { bookOf, modeOf } from '../scene.ts'

const { trace } = modeOf('ipv4')
const rules = bookOf([
  service('shop/cart', ['10.96.0.10']),
  slice('shop/cart-1', 'shop/cart', [endpoint('10.244.1.2'), endpoint('10.244.1.3')]),
]).rules

const FROM_OUTSIDE: Packet = {
  protocol: 'tcp',
  from: ip('203.0.113.7'),
  to: ip('10.96.0.10'),
  port: 80,
  via: { hook: 'prerouting', iface: 'eth0' },
  nodeAddresses: [ip('10.99.0.2')],
}

/** The rules with one chain's text changed. */
const tampered = (chain: string, text: string): Ruleset => new Map([...rules, [unit(`chain ${chain}`), text]])

describe('a trace', () => {
  test('shows the way through hooks, chains and maps, each with what matched and what it did', () => {
    const [path] = trace(rules, FROM_OUTSIDE)
    expect(path!.share).toBe(0.5)
    expect(path!.hops.map(({ at, rule, did }) => `${at} | ${rule} | ${did}`)).toEqual([
      'filter-prerouting-pre-dnat | ct state new jump firewall-check | jump firewall-check',
      'nat-prerouting | jump services | jump services',
      'service-ips | 10.96.0.10 . tcp . 80 comment "shop/cart" : goto cluster-ip-lb-tcp-2 | goto cluster-ip-lb-tcp-2',
      'cluster-ip-lb-tcp-2 | ip saddr != 10.244.0.0/16 meta mark set meta mark | 0x4000 | mark for masquerade',
      'endpoints-tcp | 10.96.0.10 . 80 . 0 : 10.244.1.2 . 8080 | dnat to 10.244.1.2:8080',
      'filter-forward | ct state new jump service-endpoints-check | jump service-endpoints-check',
      'filter-forward | ct state new jump cluster-ips-check | jump cluster-ips-check',
      'nat-postrouting | jump masquerading | jump masquerading',
      `masquerading | ${rules.get(unit('chain masquerading'))!.split('\n')[0]} | masquerade`,
    ])
  })

  test('asks base chains in the order of their priorities, and what one accepts the next may still drop', () => {
    const early = tampered('aa', 'type filter hook prerouting priority -300 ; policy accept\naccept')
    const both = new Map([
      ...early,
      [unit('chain bb'), 'type filter hook prerouting priority -200 ; policy accept\ndrop'],
    ])
    const [path] = trace(both, FROM_OUTSIDE)
    expect(path!.hops.map(({ at }) => at)).toEqual(['aa', 'bb'])
    expect(path!.end).toEqual({ to: 'dropped' })
  })

  test('goes on behind a jump, and not behind a goto', () => {
    const on = tampered('services', 'jump no-such-chain\ndrop')
    expect(trace(on, FROM_OUTSIDE)[0]!.end).toEqual({ to: 'dropped' })
    const away = new Map([...tampered('services', 'goto nowhere\ndrop'), [unit('chain nowhere'), 'return']])
    expect(trace(away, FROM_OUTSIDE)[0]!.end).toEqual({ to: 'rejected' })
  })

  test('says so where another program has written what it does not know', () => {
    const odd = tampered('services', 'ip saddr 203.0.113.7 {"limit":{"rate":1}} drop')
    expect(() => trace(odd, FROM_OUTSIDE)).toThrow(
      /cannot trace "ip saddr 203\.0\.113\.7 .*" in chain services: "\{"limit"/,
    )
    expect(trace(odd, { ...FROM_OUTSIDE, from: ip('203.0.113.8') })[0]!.end).toEqual({ to: 'rejected' })
  })
})
