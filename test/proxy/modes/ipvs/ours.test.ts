import { describe, expect, test } from 'vitest'
import { savedSets } from '#dialects/ipset.ts'
import { type Evidence, ownership } from '#proxy/modes/ipvs/ours.ts'
import { setName } from '#proxy/modes/ipvs/sets.ts'
import type { Protocol } from '#values/protocol.ts'
import { cidr, ip } from '../../../support/objects.ts'

// Whose a virtual server is, by what else the kernel has.

const WEB = { protocol: 'tcp', at: '10.96.0.10:80' } as const

/** Sets by their names, with their members. */
function evidence(sets: Readonly<Record<string, readonly string[]>>, more: Partial<Evidence> = {}): Evidence {
  const lines = Object.entries(sets).flatMap(([name, members]) => [
    `create ${name} hash:ip,port family inet maxelem 65536`,
    ...members.map(member => `add ${name} ${member}`),
  ])
  const saved = savedSets(lines.join('\n'), () => true)
  return { family: 'ipv4', sets: saved, bound: new Set(), own: new Set(), excludeCIDRs: [], ...more }
}

test.each(['CLUSTER-IP', 'EXTERNAL-IP', 'EXTERNAL-IP-LOCAL', 'LOAD-BALANCER', 'NODE-PORT-IP'] as const)(
  'one that the set %s has is ours',
  set => {
    const isOurs = ownership(evidence({ [setName(set, 'ipv4')]: ['10.96.0.10,tcp:80'] }))
    expect(isOurs(WEB)).toBe(true)
    for (const other of [
      { ...WEB, protocol: 'udp' },
      { ...WEB, at: '10.96.0.10:81' },
    ] as const) {
      expect(isOurs(other)).toBe(false)
    }
  },
)

test('one of which no set and no device knows is of another program', () => {
  expect(ownership(evidence({ 'of-mine': ['10.96.0.10,tcp:80'] }))(WEB)).toBe(false)
})

test('sets of the other family say nothing of it', () => {
  const sets = { [setName('CLUSTER-IP', 'ipv4')]: ['fd10:96::10,tcp:80'] }
  const server = { protocol: 'tcp', at: '[fd10:96::10]:80' } as const
  expect(ownership(evidence(sets, { family: 'ipv6' }))(server)).toBe(false)
  const right = { [setName('CLUSTER-IP', 'ipv6')]: ['fd10:96::10,tcp:80'] }
  expect(ownership(evidence(right, { family: 'ipv6' }))(server)).toBe(true)
})

describe('one whose address our device has', () => {
  const bound = new Set([ip('10.96.0.10')])
  test('is ours', () => expect(ownership(evidence({}, { bound }))(WEB)).toBe(true))

  test('is not, in a range that is excluded, unless a set has it', () => {
    const excludeCIDRs = [cidr('10.96.0.0/24')]
    expect(ownership(evidence({}, { bound, excludeCIDRs }))(WEB)).toBe(false)
    const sets = { 'KUBE-CLUSTER-IP': ['10.96.0.10,tcp:80'] }
    expect(ownership(evidence(sets, { bound, excludeCIDRs }))(WEB)).toBe(true)
  })
})

describe('one that kube-proxy has left at an address of the node', () => {
  const own = new Set([ip('10.99.0.2')])
  const sets = { 'KUBE-NODE-PORT-TCP': ['30080'], 'KUBE-NODE-PORT-SCTP-HASH': ['10.99.0.2,sctp:30090'] }
  const server = (protocol: Protocol, at: string) => ({ protocol, at })

  test.each([
    ['at a port that it recorded', server('tcp', '10.99.0.2:30080'), true],
    ['over SCTP, with its address', server('sctp', '10.99.0.2:30090'), true],
    ['at another port', server('tcp', '10.99.0.2:30081'), false],
    ['at such a port of another protocol', server('udp', '10.99.0.2:30080'), false],
    ['at an address that is not of the node', server('tcp', '192.0.2.1:30080'), false],
  ] as const)('%s: %s', (_, at, expected) => {
    expect(ownership(evidence(sets, { own }))(at)).toBe(expected)
  })

  test('is of another program once our own records are there', () => {
    const recorded = { ...sets, 'KUBE-NODE-PORT-IP': [] }
    expect(ownership(evidence(recorded, { own }))(server('tcp', '10.99.0.2:30080'))).toBe(false)
  })
})

test('a server by a mark of the firewall has no address, and is not ours', () => {
  expect(ownership(evidence({}))({ protocol: 'tcp', at: '1' })).toBe(false)
})
