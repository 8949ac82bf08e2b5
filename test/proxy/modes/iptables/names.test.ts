import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ServiceTraffic } from '#proxy/desired/traffic.ts'
import {
  branchChain,
  byKind,
  CANARY,
  isJumpTarget,
  isOurChain,
  NODEPORTS,
  SERVICES,
  serviceChains,
} from '#proxy/modes/iptables/names.ts'
import { TABLES } from '#proxy/modes/netfilter/units.ts'
import { cidr, ip } from '../../../support/objects.ts'

const POD = { ip: ip('10.244.1.2'), port: 3306, text: '10.244.1.2:3306', local: true }
const chainsOf = (id: string, protocol = 'tcp') => serviceChains({ id, protocol } as ServiceTraffic)

test('chains have the names that kube-proxy gives them', () => {
  const { endpoint, ...chains } = chainsOf('default/db-service:3306')
  expect(chains.cluster).toBe('KUBE-SVC-3TNEVSQEVUCP4TQO')
  expect(endpoint(POD)).toBe('KUBE-SEP-I7CURNLPIVBZIY32')
})

test('whatever a service port is called, its chains are ours in nat alone, and fit into the kernel', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('tcp', 'udp', 'sctp'), (id, protocol) => {
      const { endpoint, ...chains } = chainsOf(id, protocol)
      const all = [...Object.values(chains), endpoint(POD)]
      expect(new Set(all).size).toBe(all.length)
      for (const chain of all) {
        expect(TABLES.filter(table => isOurChain(table, chain))).toEqual(['nat'])
        expect(chain.length).toBeLessThan(29)
      }
    }),
  )
})

test.each([
  ['KUBE-XLB-AAAAAAAAAAAAAAAA', true],
  ['KUBE-SVC-AAAAAAAAAAAAAAA', false],
  ['KUBE-SVC-AAAAAAAAAAAAAAA1', false],
  ['KUBE-SVC-AAAAAAAAAAAAAAAAB', false],
  ['XKUBE-SVC-AAAAAAAAAAAAAAAA', false],
  ['KUBE-PC1-AAAAAAAAAAAAAAAA', false],
  ['KUBE-KUBELET-CANARY', false],
])('of chains in the kernel, %s is ours: %s', (chain, isOurs) => expect(isOurChain('nat', chain)).toBe(isOurs))

test('each table has its own chains that stand without Services', () => {
  expect(TABLES.map(table => isOurChain(table, CANARY))).toEqual([true, true, true])
  expect(TABLES.map(table => isOurChain(table, SERVICES))).toEqual([false, true, true])
  expect(TABLES.map(table => isJumpTarget(table, SERVICES))).toEqual([false, true, true])
})

test('chains are ordered by kind, whatever their hashes: one that may jump to another comes after it', () => {
  const { endpoint, cluster, external, firewall } = chainsOf('a/b')
  const range = cidr('10.96.0.0/16')
  const order = [
    ...[endpoint(POD), cluster, external, firewall],
    ...[3, 2, 1].map(depth => branchChain(range, depth)),
    ...[NODEPORTS, SERVICES],
  ]
  fc.assert(
    fc.property(fc.shuffledSubarray(order), some => {
      expect(some.toSorted(byKind)).toEqual(order.filter(chain => some.includes(chain)))
    }),
  )
})
