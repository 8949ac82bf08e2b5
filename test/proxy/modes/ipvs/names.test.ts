import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ServiceTraffic } from '#proxy/desired/traffic.ts'
import { base as iptablesBase } from '#proxy/modes/iptables/base.ts'
import * as iptables from '#proxy/modes/iptables/names.ts'
import {
  addressUnit,
  DEVICE_UNIT,
  entriesIn,
  isOurChain,
  memberUnit,
  realsBehind,
  realUnit,
  serverAddress,
  serverUnit,
  setUnit,
  unitParts,
} from '#proxy/modes/ipvs/names.ts'
import { chainUnit, ruleUnit } from '#proxy/modes/netfilter/units.ts'
import { base as userspaceBase } from '#proxy/modes/userspace/base.ts'
import * as userspace from '#proxy/modes/userspace/names.ts'
import { cidr, ip } from '../../../support/objects.ts'
import { viewOf } from '../nftables/scene.ts'

const addresses = fc.oneof(fc.ipV4(), fc.constantFrom('fd00::1', '2001:db8::8')).map(ip)
const servers = fc
  .tuple(fc.constantFrom('tcp', 'udp', 'sctp'), addresses, fc.integer({ min: 1, max: 65_535 }))
  .map(([protocol, at, port]) => serverAddress(protocol, at, port))

test('what a unit was made of is read from it', () => {
  fc.assert(
    fc.property(servers, addresses, (server, address) => {
      expect(unitParts(serverUnit(server))).toEqual({ kind: 'server', server })
      const real = `${address}:80`
      expect(unitParts(realUnit(server, real))).toEqual({ kind: 'real', server, real })
      expect(unitParts(addressUnit(address))).toEqual({ kind: 'address', ip: address })
      const entry = `${address},tcp:80`
      expect(unitParts(memberUnit('KUBE-X', entry))).toEqual({ kind: 'member', name: 'KUBE-X', entry })
    }),
  )
  expect(unitParts(DEVICE_UNIT)).toEqual({ kind: 'device' })
  expect(unitParts(setUnit('KUBE-X'))).toEqual({ kind: 'set', name: 'KUBE-X' })
  expect(unitParts(chainUnit('nat', 'KUBE-X'))).toEqual({ kind: 'chain', table: 'nat', chain: 'KUBE-X' })
})

test('of many units, those of one set or one server are found, whatever begins with its name', () => {
  const [web, more] = [serverAddress('tcp', ip('10.96.0.1'), 80), serverAddress('tcp', ip('10.96.0.1'), 8080)]
  const all = [
    ...[serverUnit(web), realUnit(web, '10.1.0.1:80'), realUnit(more, '10.1.0.2:80'), realUnit(web, '10.1.0.3:80')],
    ...[setUnit('KUBE-A'), memberUnit('KUBE-A', '1'), memberUnit('KUBE-A-B', '2'), memberUnit('KUBE-A', '3')],
  ]
  expect(realsBehind(all, web)).toEqual(['10.1.0.1:80', '10.1.0.3:80'])
  expect(entriesIn(all, 'KUBE-A')).toEqual(['1', '3'])
})

describe('chains that may be left of another mode go with this one', () => {
  const chainsOf = (base: typeof iptablesBase) =>
    base(viewOf('ipv4')).flatMap(({ unit }) => {
      const rule = ruleUnit(unit)
      return rule?.kind === 'chain' ? [rule] : []
    })

  test('those that stand without any Service', () => {
    for (const { table, chain } of [...chainsOf(iptablesBase), ...chainsOf(userspaceBase)]) {
      // kubelet uses it, too.
      if (chain !== iptables.FIREWALL) expect(isOurChain(table, chain), `${table} ${chain}`).toBe(true)
    }
  })

  test('those of Services, and the branches that lead to them', () => {
    const { endpoint, ...chains } = iptables.serviceChains({ id: 'a/b', protocol: 'tcp' } as ServiceTraffic)
    const range = cidr('10.96.0.0/16')
    for (const chain of [
      ...Object.values(chains),
      endpoint({ ip: ip('10.1.0.1'), port: 80, text: '10.1.0.1:80', local: true }),
      ...[1, 2, 3].flatMap(depth => [
        iptables.branchChain(range, depth),
        userspace.branchChain('container', range, depth),
        userspace.branchChain('host', range, depth),
      ]),
    ]) {
      expect(isOurChain('nat', chain), chain).toBe(true)
      expect(isOurChain('filter', chain), chain).toBe(false)
    }
  })

  test.each(['KUBE-SVC-SHORT', 'KUBE-KUBELET-CANARY', 'KUBE-MARK-DROP', 'DOCKER', 'X-KUBE-NODEPORTS'])(
    'and never %s',
    chain => expect(isOurChain('nat', chain)).toBe(false),
  )
})
