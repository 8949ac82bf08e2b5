import { parseRule } from 'iptables-parser'
import { describe, expect, test } from 'vitest'
import { Sets } from '#proxy/modes/ipvs/trace/sets.ts'
import type { VisiblePacket } from '#proxy/modes/netfilter/trace/match.ts'
import { ip } from '../../../../support/objects.ts'
import { ruleset } from '../../../../support/units.ts'

const RULES = ruleset({
  'member KUBE-CLUSTER-IP 10.96.0.10,tcp:80': '',
  'member KUBE-NODE-PORT-TCP 80': '',
  'member KUBE-IPVS-IPS 10.96.0.10': '',
  'member KUBE-LOOP-BACK 10.96.0.10,tcp:80,10.244.1.7': '',
  'member KUBE-LOAD-BALANCER-SOURCE-CIDR 10.96.0.10,tcp:80,10.244.0.0/16': '',
  'member KUBE-LOAD-BALANCER-SOURCE-CIDR 10.96.0.10,tcp:81,192.0.2.7': '',
  'member KUBE-6-CLUSTER-IP fd10:96::10,tcp:80': '',
})

function chance(words: string, more: { from?: string; to?: string; port?: number; protocol?: string } = {}): number {
  const { from = '10.244.1.7', to = '10.96.0.10', port = 80, protocol = 'tcp' } = more
  const rule = parseRule(`-A X -m set ${words} -j ACCEPT`)
  const visible = { packet: { protocol, from: ip(from) }, to: ip(to), port } as unknown as VisiblePacket
  return new Sets(RULES).chance({ rule, match: rule.matches[0]!, visible })
}

describe('a set has', () => {
  test.each([
    ['an address and port', '--match-set KUBE-CLUSTER-IP dst,dst', {}, 1],
    ['none of another protocol', '--match-set KUBE-CLUSTER-IP dst,dst', { protocol: 'udp' }, 0],
    ['none of another port', '--match-set KUBE-CLUSTER-IP dst,dst', { port: 81 }, 0],
    ['what is asked for, negated', '! --match-set KUBE-CLUSTER-IP dst,dst', {}, 0],
    ['a port, whatever the address', '--match-set KUBE-NODE-PORT-TCP dst', { to: '192.0.2.1' }, 1],
    ['an address, whatever the port', '--match-set KUBE-IPVS-IPS dst', { port: 9 }, 1],
    [
      'an address that a packet comes from',
      '--match-set KUBE-IPVS-IPS src',
      { from: '10.96.0.10', to: '192.0.2.1' },
      1,
    ],
    ['a frontend and its endpoint', '--match-set KUBE-LOOP-BACK dst,dst,src', {}, 1],
    ['no other endpoint', '--match-set KUBE-LOOP-BACK dst,dst,src', { from: '10.244.1.8' }, 0],
    ['sources in a range', '--match-set KUBE-LOAD-BALANCER-SOURCE-CIDR dst,dst,src', { from: '10.244.9.9' }, 1],
    ['no sources beyond it', '--match-set KUBE-LOAD-BALANCER-SOURCE-CIDR dst,dst,src', { from: '10.245.0.1' }, 0],
    ['a single source', '--match-set KUBE-LOAD-BALANCER-SOURCE-CIDR dst,dst,src', { from: '192.0.2.7', port: 81 }, 1],
    ['a range for its own port alone', '--match-set KUBE-LOAD-BALANCER-SOURCE-CIDR dst,dst,src', { port: 81 }, 0],
    ['an address of IPv6', '--match-set KUBE-6-CLUSTER-IP dst,dst', { from: 'fd00::1', to: 'fd10:96::10' }, 1],
  ])('%s', (_, words, packet, expected) => expect(chance(words, packet)).toBe(expected))
})

test.each([
  ['a set of another program', '--match-set of-mine dst', 'asks a set "of-mine", which is not ours'],
  ['a set of the other family', '--match-set KUBE-6-CLUSTER-IP dst,dst', 'which is not ours'],
  ['too few directions', '--match-set KUBE-CLUSTER-IP dst', 'asks a hash:ip,port set for "dst"'],
  ['a source port', '--match-set KUBE-CLUSTER-IP dst,src', 'asks for a source port'],
])('%s ends the trace', (_, words, why) => expect(() => chance(words)).toThrow(why))
