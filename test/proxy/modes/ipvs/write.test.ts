import { describe, expect, test } from 'vitest'
import type { Ruleset } from '#proxy/modes/mode.ts'
import { diff, EMPTY } from '#proxy/plan/diff.ts'
import { endpoint, ip, port, service, slice } from '../../../support/objects.ts'
import { ruleset, unit, unitText } from '../../../support/units.ts'
import { modeOf, rulesOf } from './scene.ts'

// A plan → the commands that carry it out: each tool once, ipset twice at the most, in an order in which nothing dangles
// and no client is lost.

const CART = service('shop/cart', ['10.96.0.10'], { ports: [port({ port: 80, nodePort: 30080 })] })
const many = (count: number) =>
  Array.from({ length: count }, (_, i) => [
    service(`shop/s${i}`, [`10.97.0.${i + 1}`]),
    slice(`shop/s${i}-a`, `shop/s${i}`, [endpoint(`10.244.2.${i + 1}`), endpoint(`10.244.3.${i + 1}`)]),
  ]).flat()
const cart = (...pods: readonly Parameters<typeof endpoint>[]) =>
  rulesOf([
    CART,
    slice(
      'shop/a',
      'shop/cart',
      pods.map(pod => endpoint(...pod)),
    ),
  ])
const written = (from: Ruleset, to: Ruleset) => modeOf('ipv4').write(diff(from, to))
const programs = (from: Ruleset, to: Ruleset): readonly string[] => written(from, to).map(({ argv }) => argv.join(' '))

const BARE = rulesOf([])
const ONE = cart(['10.244.2.3'])

test('a start from nothing runs four tools once each, however many Services there are', () => {
  expect(programs(EMPTY, rulesOf(many(200)))).toEqual([
    'ipset -exist restore',
    'iptables-restore -w 5 --noflush --counters',
    'ipvsadm -R',
    'ip -batch -',
  ])
})

test('a Service that comes, or two hundred, asks no rule to be written: rules ask sets', () => {
  expect(programs(BARE, rulesOf(many(200)))).toEqual(['ipset -exist restore', 'ipvsadm -R', 'ip -batch -'])
})

test('nothing at all is run where nothing changed', () => {
  expect(written(ONE, cart(['10.244.2.3']))).toEqual([])
})

test('an endpoint elsewhere that comes or goes is one run of ipvsadm, which says nothing of other Services', () => {
  expect(written(ONE, cart(['10.244.2.3'], ['10.244.2.4']))).toEqual([
    {
      does: 'write',
      argv: ['ipvsadm', '-R'],
      input: ['10.244.1.1:30080', '10.96.0.10:80', '10.99.0.2:30080']
        .map(at => `-a -t ${at} -r 10.244.2.4:8080 -m -w 1\n`)
        .join(''),
      stderr: 'means-failure',
      timeoutMs: expect.any(Number),
    },
  ])
})

test('an endpoint that is leaving loses its weight, and has it again when it is back; it is not taken away between', () => {
  const leaving = cart(['10.244.2.3', { ready: false, terminating: true }], ['10.244.2.4'])
  const both = cart(['10.244.2.3'], ['10.244.2.4'])
  const lines = (from: Ruleset, to: Ruleset): readonly string[] =>
    written(from, to).flatMap(({ input = '' }) => input.trim().split('\n'))
  expect(lines(both, leaving)).toContain('-e -t 10.96.0.10:80 -r 10.244.2.3:8080 -m -w 0')
  expect(lines(leaving, both)).toContain('-e -t 10.96.0.10:80 -r 10.244.2.3:8080 -m -w 1')
  expect([...lines(both, leaving), ...lines(leaving, both)].filter(line => line.startsWith('-d'))).toEqual([])
})

test('a new endpoint stands before the old one goes', () => {
  const [servers] = written(ONE, cart(['10.244.2.4']))
  expect(servers!.input!.split('\n').map(line => line.slice(0, 2))).toEqual(['-a', '-a', '-a', '-d', '-d', '-d', ''])
})

test('the record of a node port outlives its virtual server, and then goes by itself', () => {
  const commands = written(ONE, BARE)
  expect(commands.map(({ argv }) => argv[0])).toEqual(['ipvsadm', 'ipset', 'ip'])
  expect(commands[1]!.input).toContain('add KUBE-NODE-PORT-IP 10.99.0.2,tcp:30080 timeout 600\n')
  expect(commands[1]!.input).not.toContain('del KUBE-NODE-PORT-IP')
})

test('a set of another make is replaced with all its members while rules go on asking it', () => {
  const old = new Map([...ONE].filter(([unit]) => !unitText(unit).startsWith('member KUBE-CLUSTER-IP ')))
  old.set(unit('set KUBE-CLUSTER-IP'), 'hash:ip,port family inet maxelem 65536')
  expect(written(old, ONE)).toMatchObject([
    {
      argv: ['ipset', '-exist', 'restore'],
      input: [
        'destroy KUBE-TEMPORARY',
        'create KUBE-TEMPORARY hash:ip,port family inet maxelem 4194304',
        'add KUBE-TEMPORARY 10.96.0.10,tcp:80',
        'swap KUBE-TEMPORARY KUBE-CLUSTER-IP',
        'destroy KUBE-TEMPORARY',
        '',
      ].join('\n'),
    },
  ])
})

test('both families may replace their sets at once', () => {
  const old = ruleset({ 'set KUBE-6-CLUSTER-IP': 'hash:ip,port family inet6 maxelem 65536' })
  const wanted = ruleset({ 'set KUBE-6-CLUSTER-IP': 'hash:ip,port family inet6 maxelem 4194304' })
  const [replaced] = modeOf('ipv6').write(diff(old, wanted))
  expect(replaced!.input).toContain('swap KUBE-6-TEMPORARY KUBE-6-CLUSTER-IP\n')
})

test('a node that goes from iptables mode to this one keeps the old rules until there is everything behind the new', () => {
  const old = ruleset({ 'nat KUBE-SERVICES': '-A KUBE-SERVICES -d 10.96.0.10/32 -j KUBE-SVC-AAAAAAAAAAAAAAAA' })
  expect(programs(old, ONE).map(words => words.split(' ')[0])).toEqual(['ipset', 'ipvsadm', 'ip', 'iptables-restore'])
})

describe('by direction', () => {
  const outward = (externalPolicy: 'Cluster' | 'Local', ...pods: readonly string[]): Ruleset =>
    rulesOf([
      service('shop/cart', ['10.96.0.10'], { externalIPs: [ip('198.18.0.7')], externalPolicy }),
      slice(
        'shop/a',
        'shop/cart',
        pods.map(pod => endpoint(pod, pod.startsWith('10.244.1.') ? { nodeName: 'here' } : {})),
      ),
    ])
  const STEP = /^(?:(add|del) KUBE-(\S+) 198\.18\.0\.7,tcp:80|-([ade]) -t 198\.18\.0\.7:80 -r 10\.244\.(\S+):.*)$/gm
  /** What is done about the external IP, in order: sets by their names, endpoints by the last two numbers. */
  const steps = (from: Ruleset, to: Ruleset): readonly string[] =>
    written(from, to).flatMap(({ input = '' }) =>
      [...input.matchAll(STEP)].map(([, verb, set, real, pod]) =>
        set === undefined ? `${real} ${pod}` : `${verb} ${set}`,
      ),
    )

  test('a client from outside is masqueraded for as long as an endpoint elsewhere may be chosen', () => {
    const [near, both] = [outward('Local', '10.244.1.3', '10.244.2.3'), outward('Cluster', '10.244.1.3', '10.244.2.3')]
    expect(steps(both, near)).toEqual(['e 2.3', 'add EXTERNAL-IP-LOCAL', 'del EXTERNAL-IP'])
    expect(steps(near, both)).toEqual(['add EXTERNAL-IP', 'del EXTERNAL-IP-LOCAL', 'e 2.3'])
  })

  test('what drops clients comes before the endpoints that they are kept from, and goes after them', () => {
    const [near, far] = [outward('Local', '10.244.1.3'), outward('Local', '10.244.2.3')]
    expect(steps(near, far)).toEqual(['add DROP-OUTSIDE', 'a 2.3', 'd 1.3'])
    expect(steps(far, near)).toEqual(['a 1.3', 'd 2.3', 'del DROP-OUTSIDE'])
  })

  test('the members of a Service go after its virtual servers, in one process', () => {
    const programs = written(outward('Local', '10.244.1.3'), BARE).map(({ argv }) => argv[0])
    expect(programs).toEqual(['ipvsadm', 'ipset', 'ip'])
    expect(written(BARE, outward('Local', '10.244.1.3')).map(({ argv }) => argv[0])).toEqual(['ipset', 'ipvsadm', 'ip'])
  })

  test('an endpoint that is replaced is masqueraded to itself for as long as it may be chosen', () => {
    const programs = written(outward('Cluster', '10.244.1.3'), outward('Cluster', '10.244.1.4'))
    expect(programs.map(({ argv, input }) => `${argv[0]} ${input!.slice(0, 3)}`)).toEqual([
      'ipset add',
      'ipvsadm -a ',
      'ipset del',
    ])
  })
})
