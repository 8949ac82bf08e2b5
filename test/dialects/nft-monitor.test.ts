import { describe, expect, test } from 'vitest'
import { monitorLine } from '#dialects/nft-monitor.ts'

describe('a line of nft monitor', () => {
  test.each([
    ['add table ip nat', 'add table ip nat '],
    ['create chain ip nat KUBE-A', 'add chain ip nat KUBE-A'],
    [
      'add chain ip nat PREROUTING { type nat hook prerouting priority dstnat; policy accept; }',
      'add chain ip nat PREROUTING',
    ],
    ['insert rule ip6 nat KUBE-A  counter packets 0 bytes 0 return', 'add rule ip6 nat KUBE-A'],
    ['delete rule ip nat KUBE-A handle 2', 'delete rule ip nat KUBE-A'],
    ['add map ip kube-proxy m { type ipv4_addr : verdict; comment "hi"; } ', 'add set ip kube-proxy m'],
    ['delete set ip kube-proxy m', 'delete set ip kube-proxy m'],
    ['add element ip kube-proxy s { 1.2.3.4 expires 5s }', 'add element ip kube-proxy s'],
    ['add rule inet firewalld filter_INPUT drop', 'add rule other firewalld filter_INPUT'],
    ['add flowtable ip t f { hook ingress priority 0; }', 'add other ip t '],
  ])('%s', (line, said) => {
    const read = monitorLine(line)!
    if (!('touch' in read)) throw new Error('no touch')
    const { verb, kind, family, table, name } = read.touch
    expect(`${verb} ${kind} ${family} ${table} ${name}`).toBe(said)
  })

  test('ends a transaction with its number, process and program', () => {
    expect(monitorLine('# new generation 78 by process 7259 (iptables-nft-re)')).toEqual({
      end: { generation: 78, process: 7259, program: 'iptables-nft-re' },
    })
    expect(monitorLine('# new generation 79 by process 7260 (a (b) c)')).toMatchObject({ end: { program: 'a (b) c' } })
  })

  test.each(['', '# flush ruleset', 'XDP 1'])('says neither: "%s"', line => expect(monitorLine(line)).toBeUndefined())
})
