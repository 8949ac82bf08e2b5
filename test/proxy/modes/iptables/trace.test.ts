import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { CHAINS } from '#proxy/modes/iptables/chains.ts'
import { trace } from '#proxy/modes/iptables/trace.ts'
import type { Ruleset } from '#proxy/modes/mode.ts'
import { unitsIn } from '#proxy/modes/netfilter/chains.ts'
import type { Packet } from '#proxy/modes/trace.ts'
import { fateOf } from '../../../support/fate.ts'
import { ip } from '../../../support/objects.ts'
import { ruleset } from '../../../support/units.ts'

const NODE = [ip('127.0.0.1'), ip('10.99.0.2')]

const FROM_POD: Packet = {
  protocol: 'tcp',
  from: ip('10.244.1.7'),
  to: ip('10.96.0.10'),
  port: 80,
  via: { hook: 'prerouting', iface: 'cni0' },
  nodeAddresses: NODE,
}
const FROM_NODE: Packet = { ...FROM_POD, from: ip('10.99.0.2'), via: { hook: 'output' } }

/** Chains by unit, and single lines: `nat -A PREROUTING …`. */
function rules(chains: Readonly<Record<string, readonly string[]>>, lines: readonly string[] = []): Ruleset {
  const named = Object.entries(chains).map(([unit, text]) => {
    const chain = unit.split(' ')[1]
    return [unit, text.map(rule => `-A ${chain} ${rule}`.trimEnd()).join('\n')] as const
  })
  return ruleset(Object.fromEntries([...named, ...lines.map(line => [line, ''] as const)]))
}

/** Rules of nat, with one chain that every packet passes first. */
function nat(chains: Readonly<Record<string, readonly string[]>>): Ruleset {
  const units = Object.entries(chains).map(([chain, text]) => [`nat ${chain}`, text] as const)
  return rules(Object.fromEntries(units), ['nat -A PREROUTING -j START', 'nat -A OUTPUT -j START'])
}

function fate(ruleset: Ruleset, packet: Packet = FROM_POD): Record<string, number> {
  return Object.fromEntries(fateOf(trace(ruleset, packet)))
}

const A = '-p tcp -m tcp -j DNAT --to-destination 10.244.1.5:8080'
const B = '-p tcp -m tcp -j DNAT --to-destination 10.244.2.5:8080'
const TO_A = { '10.244.1.5:8080': 1 }
const UNTOUCHED = { untouched: 1 }

describe('chains', () => {
  test('a packet that no rule matches goes where it was going', () => expect(fate(new Map())).toEqual(UNTOUCHED))

  test('rules are asked in order, and the first that sends the packet off decides', () =>
    expect(fate(nat({ START: ['-p udp -j DNAT --to-destination 10.244.2.5:8080', A, B] }))).toEqual(TO_A))

  test('at the end of a chain, a packet goes on behind the jump', () =>
    expect(fate(nat({ START: ['-j EMPTY', A], EMPTY: [] }))).toEqual(TO_A))

  test('RETURN leaves the chain and no more', () =>
    expect(fate(nat({ START: ['-j INNER', A], INNER: ['-j RETURN', B] }))).toEqual(TO_A))

  test('a goto comes back behind the jump that came before it', () =>
    expect(fate(nat({ START: ['-j INNER', A], INNER: ['-g EMPTY', B], EMPTY: [] }))).toEqual(TO_A))

  test('a rule without a target lets the packet go on', () =>
    expect(fate(nat({ START: ['-m comment --comment "only counted"', A] }))).toEqual(TO_A))

  test('ACCEPT ends this table and not the next', () => {
    const lines = ['nat -A PREROUTING -j START', 'filter -A FORWARD -j GUARD']
    const guarded = rules({ 'nat START': ['-j ACCEPT', A], 'filter GUARD': ['-j DROP'] }, lines)
    expect(fate(guarded)).toEqual({ dropped: 1 })
  })
})

describe('matches', () => {
  const toA = (match: string, packet?: Packet): boolean =>
    '10.244.1.5:8080' in fate(nat({ START: [`${match} -j TO-A`.trim()], 'TO-A': [A] }), packet)

  test.for([
    ['-s 10.244.0.0/16', true],
    ['! -s 10.244.0.0/16', false],
    ['-s 10.244.1.7', true],
    ['-d 10.96.0.10/32', true],
    ['! -d 10.96.0.10/32', false],
    ['-i cni0', true],
    ['-i cni+', true],
    ['-i eth+', false],
    ['! -i eth+', true],
    ['-i cni', false],
    ['-p tcp', true],
    ['-p udp', false],
    ['! -p udp', true],
    ['-p tcp -m tcp --dport 80', true],
    ['-p tcp -m tcp --dport 81', false],
    ['-p tcp -m tcp ! --dport 81', true],
    ['-p tcp -m tcp --dport 79:81', true],
    ['-m addrtype --dst-type LOCAL', false],
    ['-m addrtype ! --dst-type LOCAL', true],
    ['-m addrtype --src-type LOCAL', false],
    ['-m conntrack --ctstate NEW', true],
    ['-m conntrack --ctstate RELATED,ESTABLISHED', false],
    ['-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT', true],
    ['-m mark --mark 0x4000/0x4000', false],
    ['-m mark ! --mark 0x4000/0x4000', true],
    ['-m comment --comment "says nothing"', true],
  ] as const)('%s: %s', ([match, holds]) => expect(toA(match)).toBe(holds))

  test('what the node sends comes in through no interface', () => {
    expect(toA('-i cni0', FROM_NODE)).toBe(false)
    expect(toA('! -i cni0', FROM_NODE)).toBe(true)
    expect(toA('-m addrtype --src-type LOCAL', FROM_NODE)).toBe(true)
  })

  test('a mark is what earlier rules made of it, bit by bit', () => {
    const marked = (...marks: readonly string[]) =>
      fate(
        nat({
          START: [...marks.map(mark => `-j MARK --set-xmark ${mark}`), '-m mark --mark 0x4000/0x4000 -j TO-A'],
          'TO-A': [A],
        }),
      )
    expect(marked('0x4000/0x4000')).toEqual(TO_A)
    expect(marked('0x4000/0x4000', '0x4000/0x0')).toEqual(UNTOUCHED)
    expect(marked('0x4000/0x4000', '0x80000000/0x80000000')).toEqual(TO_A)
    expect(marked('0x4000/0x4000', '0x1/0xffffffff')).toEqual(UNTOUCHED)
  })
})

describe('chance and memory', () => {
  const DICE = '-m statistic --mode random --probability'

  test('every path has its share', () => {
    const thirds = nat({
      START: [`${DICE} 0.25000000000 -j TO-A`, `${DICE} 0.50000000000 -j TO-B`],
      'TO-A': [A],
      'TO-B': [B],
    })
    expect(fate(thirds)).toEqual({ '10.244.1.5:8080': 0.25, '10.244.2.5:8080': 0.375, untouched: 0.375 })
  })

  test('paths that meet again keep their own shares and hops', () => {
    const twice = trace(nat({ START: [`${DICE} 0.50000000000 -j TO-A`, '-j TO-A'], 'TO-A': [A] }), FROM_POD)
    expect(twice.map(({ share, hops }) => [share, hops.length])).toEqual([
      [0.5, 3],
      [0.5, 3],
    ])
  })

  const remembering = nat({
    START: [
      '-m recent --rcheck --seconds 60 --reap --name KUBE-SEP-A --mask 255.255.255.255 --rsource -j KUBE-SEP-A',
      B,
    ],
    'KUBE-SEP-A': [
      '-p tcp -m recent --set --name KUBE-SEP-A --mask 255.255.255.255 --rsource -m tcp -j DNAT --to-destination 10.244.1.5:8080',
    ],
  })

  test.for([
    [undefined, '10.244.2.5:8080'],
    [{ endpoint: '10.244.1.5:8080', secondsAgo: 60 }, '10.244.1.5:8080'],
    [{ endpoint: '10.244.1.5:8080', secondsAgo: 61 }, '10.244.2.5:8080'],
    [{ endpoint: '10.244.2.5:8080', secondsAgo: 1 }, '10.244.2.5:8080'],
  ] as const)('a client last seen %o goes to %s', ([last, endpoint]) =>
    expect(fate(remembering, { ...FROM_POD, ...(last && { last }) })).toEqual({ [endpoint]: 1 }),
  )
})

describe('the way through the kernel', () => {
  const LINES = [
    'nat -A PREROUTING -j ENTER',
    'nat -A OUTPUT -j ENTER',
    'nat -A POSTROUTING -j LEAVE',
    'filter -A INPUT -j IN',
    'filter -A FORWARD -j THROUGH',
    'filter -A OUTPUT -j OUT',
  ]
  const CHAINS = ['nat ENTER', 'filter IN', 'filter THROUGH', 'filter OUT', 'nat LEAVE']
  const visits = (packet: Packet, enter: readonly string[] = []): readonly string[] => {
    const chains = Object.fromEntries(CHAINS.map(unit => [unit, unit === 'nat ENTER' ? enter : ['']]))
    return trace(rules(chains, LINES), packet)[0]!
      .hops.filter(({ did }) => did === 'nothing')
      .map(({ at }) => at)
  }

  test('a packet that passes', () => expect(visits(FROM_POD)).toEqual(['filter THROUGH', 'nat LEAVE']))
  test('a packet for the node', () => expect(visits({ ...FROM_POD, to: ip('10.99.0.2') })).toEqual(['filter IN']))
  test('a packet for any loopback address is for the node', () =>
    expect(visits({ ...FROM_POD, to: ip('127.3.2.1') })).toEqual(['filter IN']))
  test('a packet that was sent to the node instead', () =>
    expect(visits(FROM_POD, ['-j DNAT --to-destination 10.99.0.2:8080'])).toEqual(['filter IN']))
  test('a packet from the node', () => expect(visits(FROM_NODE)).toEqual(['filter OUT', 'nat LEAVE']))
  test('a packet from the node to itself comes in again', () =>
    expect(visits({ ...FROM_NODE, to: ip('10.99.0.2') })).toEqual(['filter OUT', 'nat LEAVE', 'filter IN']))

  test('filter sees the destination and the state that nat has made', () => {
    const chains = {
      'nat ENTER': [A],
      'filter THROUGH': ['-d 10.244.1.5/32 -m conntrack --ctstate DNAT -j REJECT --reject-with icmp-port-unreachable'],
    }
    expect(
      fate(
        rules(
          chains,
          LINES.filter(line => !/LEAVE|IN$|OUT$/.test(line)),
        ),
      ),
    ).toEqual({ rejected: 1 })
  })

  test('only what leaves is masqueraded', () => {
    const chains = Object.fromEntries(
      CHAINS.map(unit => [unit, unit === 'nat LEAVE' ? ['-j MASQUERADE --random-fully'] : []]),
    )
    expect(fate(rules(chains, LINES))).toEqual({ 'untouched masqueraded': 1 })
    expect(fate(rules(chains, LINES), { ...FROM_POD, to: ip('10.99.0.2') })).toEqual(UNTOUCHED)
  })
})

describe('a rule that cannot be traced is an error, never skipped', () => {
  test.for([
    ['-m time --timestart 08:00', 'match "time"'],
    ['-m recent --update --name X --rsource', 'option "--update"'],
    ['-m addrtype --dst-type BROADCAST', 'type BROADCAST'],
    ['-m statistic --mode nth --every 2 --packet 0', 'option "--every"'],
    ['-o eth0', 'outgoing interface'],
    ['-p tcp -m tcp --sport 80', 'option "--sport"'],
    ['-s 10.0.0.0-10.0.0.9', '"10.0.0.0-10.0.0.9"'],
    ['-j SNAT --to-source 10.0.0.1', 'SNAT'],
    ['-j KUBE-SVC-AAAAAAAAAAAAAAAA', 'no chain of these rules'],
    ['-j MARK --or-mark 0x4000', 'option "--or-mark"'],
    ['-j DNAT --to-destination 10.0.0.1-10.0.0.9', '"10.0.0.1-10.0.0.9"'],
    ['-j DNAT --to-destination 10.0.0.1:80 --persistent', 'option "--persistent"'],
  ] as const)('%s', ([rule, why]) => expect(() => trace(nat({ START: [rule] }), FROM_POD)).toThrow(why))

  test('a rule of one chain in the unit of another', () => {
    const misplaced = ruleset({ 'nat START': '-A OTHER -j ACCEPT', 'nat -A PREROUTING -j START': '' })
    expect(() => trace(misplaced, FROM_POD)).toThrow('stands among the rules of START')
  })
})

describe('rules that kube-proxy 1.36 wrote itself', () => {
  const save = readFileSync(new URL('../../../../fixtures/saves/iptables-1.36-v4.save', import.meta.url), 'utf8')
  const REAL = unitsIn(save, CHAINS)
  const half = (...ends: readonly string[]) => Object.fromEntries(ends.map(end => [end, 0.5]))
  const OUTSIDE: Packet = { ...FROM_POD, from: ip('10.99.0.1'), via: { hook: 'prerouting', iface: 'eth0' } }
  const at = (packet: Packet, to: string, port: number): Packet => ({ ...packet, to: ip(to), port })

  test.for<readonly [string, Packet, Record<string, number>]>([
    ['a pod at a cluster IP', at(FROM_POD, '10.103.132.104', 3306), { '10.244.1.2:3306': 1 }],
    [
      'the pod itself',
      { ...at(FROM_POD, '10.103.132.104', 3306), from: ip('10.244.1.2') },
      { '10.244.1.2:3306 masqueraded': 1 },
    ],
    ['an outside client at a cluster IP', at(OUTSIDE, '10.103.132.104', 3306), { '10.244.1.2:3306 masqueraded': 1 }],
    [
      'an outside client at a Local external IP',
      at(OUTSIDE, '198.18.0.7', 80),
      half('10.244.1.2:8080', '10.244.1.3:8080'),
    ],
    ['an outside client in a source range', at(OUTSIDE, '198.18.0.8', 80), half('10.244.1.2:8080', '10.244.1.3:8080')],
    [
      'an outside client in no source range',
      { ...at(OUTSIDE, '198.18.0.8', 80), from: ip('192.0.2.1') },
      { dropped: 1 },
    ],
    [
      'a node port on localhost',
      { ...at(FROM_NODE, '127.0.0.1', 30090), from: ip('127.0.0.1') },
      half('10.244.2.10:9000 masqueraded', '10.244.2.11:9000 masqueraded'),
    ],
    ['a neighbour at the rest of localhost', at(OUTSIDE, '127.0.0.1', 22), { dropped: 1 }],
    ['a node port of an empty Service', at(OUTSIDE, '10.99.0.2', 30070), { rejected: 1 }],
    ['an empty Service', at(FROM_NODE, '10.100.0.12', 7000), { rejected: 1 }],
    ['a Local cluster IP without local pods', at(FROM_POD, '10.100.0.11', 9000), { dropped: 1 }],
    ['a destination that is no frontend', at(FROM_POD, '10.244.2.9', 8080), UNTOUCHED],
  ])('%s', ([, packet, expected]) => {
    const found = fate(REAL, packet)
    expect(Object.keys(found)).toEqual(Object.keys(expected))
    for (const [end, share] of Object.entries(expected)) expect(found[end]).toBeCloseTo(share, 6)
  })

  test('say the same in whatever order the units were read', () => {
    const turned = new Map([...REAL].reverse())
    expect(trace(turned, at(OUTSIDE, '127.0.0.1', 22))).toEqual(trace(REAL, at(OUTSIDE, '127.0.0.1', 22)))
  })

  test('are traced hop by hop, as the tool prints them', () => {
    const [path] = trace(REAL, { ...at(FROM_POD, '10.103.132.104', 3306), from: ip('10.244.1.2') })
    expect(path!.hops.slice(0, 6).map(({ at, did }) => [at, did])).toEqual([
      ['nat PREROUTING', 'jump KUBE-SERVICES'],
      ['nat KUBE-SERVICES', 'jump KUBE-SVC-3TNEVSQEVUCP4TQO'],
      ['nat KUBE-SVC-3TNEVSQEVUCP4TQO', 'jump KUBE-SEP-I7CURNLPIVBZIY32'],
      ['nat KUBE-SEP-I7CURNLPIVBZIY32', 'jump KUBE-MARK-MASQ'],
      ['nat KUBE-MARK-MASQ', 'mark for masquerade'],
      ['nat KUBE-SEP-I7CURNLPIVBZIY32', 'dnat to 10.244.1.2:3306'],
    ])
    expect(path!.hops[1]!.rule).toBe(
      '-A KUBE-SERVICES -d 10.103.132.104/32 -p tcp -m comment --comment "default/db-service:3306 cluster IP" -m tcp --dport 3306 -j KUBE-SVC-3TNEVSQEVUCP4TQO',
    )
  })
})
