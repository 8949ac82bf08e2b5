import { parseRule } from 'iptables-parser'
import { describe, expect, test } from 'vitest'
import { firstOf } from '#proxy/modes/netfilter/trace/packet.ts'
import { effect } from '#proxy/modes/netfilter/trace/target.ts'
import { FROM_POD, nat, paths } from './rules.ts'

// What a rule that matched does to a packet.

/** What is done, what follows, and what is another of the packet. */
function done(target: string, mark = 0) {
  const { did, onward, change } = effect(parseRule(`-A X ${target}`.trimEnd()), {})
  return [did, onward, change({ ...firstOf(FROM_POD), mark })]
}

test.each([
  ['', 'nothing', 'next', {}],
  ['-j RETURN', 'return', 'return', {}],
  ['-j ACCEPT', 'accept', 'done', {}],
  ['-j DROP', 'drop', 'done', { stopped: 'dropped' }],
  ['-j REJECT --reject-with icmp6-port-unreachable', 'reject', 'done', { stopped: 'rejected' }],
  ['-j MASQUERADE --random-fully', 'masquerade', 'done', { masqueraded: true }],
  [
    '-j DNAT --to-destination 10.1.0.1:80',
    'dnat to 10.1.0.1:80',
    'done',
    { to: '10.1.0.1', port: 80, endpoint: '10.1.0.1:80' },
  ],
  [
    '-j DNAT --to-destination [fd00::1]:80',
    'dnat to [fd00::1]:80',
    'done',
    { to: 'fd00::1', port: 80, endpoint: '[fd00::1]:80' },
  ],
])('%s: %s', (target, did, onward, change) => expect(done(target)).toEqual([did, onward, change]))

test.each([
  ['0x4000/0x4000', 0x1, 'mark for masquerade', 0x4001],
  ['0x80000000/0x80000000', 0, 'mark for masquerade', 0x8000_0000],
  // No bit is cleared, and those of the value are turned: so kube-proxy clears its mark.
  ['0x4000/0x0', 0x4001, 'clear mark', 0x1],
  ['0x1/0xffffffff', 0x4000, 'mark for masquerade', 0x1],
])('--set-xmark %s, of a packet with the mark %i', (mark, before, did, after) => {
  expect(done(`-j MARK --set-xmark ${mark}`, before)).toEqual([did, 'next', { mark: after }])
})

test('a target of the mode comes before those of all modes', () => {
  const own = { DROP: () => ({ did: 'mine', onward: 'next', change: () => ({}) }) as const }
  expect(effect(parseRule('-A X -j DROP'), own).did).toBe('mine')
})

describe('a target that is not known is an error, never skipped', () => {
  test.for([
    ['-j SNAT --to-source 10.0.0.1', 'SNAT'],
    ['-j KUBE-SVC-AAAAAAAAAAAAAAAA', 'no chain of these rules'],
    ['-j MARK --or-mark 0x4000', 'option "--or-mark"'],
    ['-j DNAT --to-destination 10.0.0.1-10.0.0.9', '"10.0.0.1-10.0.0.9"'],
    ['-j DNAT --to-destination 10.0.0.1:80 --persistent', 'option "--persistent"'],
    ['-j DNAT --to-destination 10.0.0.1', '"10.0.0.1"'],
  ] as const)('%s', ([rule, why]) => expect(() => paths(nat({ START: [rule] }))).toThrow(why))
})
