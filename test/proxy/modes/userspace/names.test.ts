import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chainUnit, lineUnit, TABLES } from '#proxy/modes/netfilter/units.ts'
import {
  branchChain,
  CHAINS,
  isListener,
  isOurChain,
  listenerName,
  listenerNote,
  listenerOf,
  listenerOfNote,
  listenUnit,
} from '#proxy/modes/userspace/names.ts'
import { cidr } from '../../../support/objects.ts'

const PORTS = fc.record({
  id: fc.constantFrom('shop/cart', 'shop/cart:http', 'a/local', 'a/b:local'),
  protocol: fc.constantFrom('tcp' as const, 'udp' as const),
})
const POOLS = fc.constantFrom('cluster' as const, 'local' as const)

describe('a listener', () => {
  test('is read from its unit, and from the comment of the rules that lead to it', () => {
    fc.assert(
      fc.property(PORTS, POOLS, (port, pool) => {
        const name = listenerName(port, pool)
        expect(listenerOf(listenUnit(name))).toBe(name)
        expect(listenerOfNote(port.protocol, listenerNote(port, pool))).toBe(name)
      }),
    )
  })

  test('is of one service port and pool alone', () => {
    fc.assert(
      fc.property(PORTS, POOLS, PORTS, POOLS, (one, pool, other, otherPool) => {
        const isSame = one.id === other.id && one.protocol === other.protocol && pool === otherPool
        expect(listenerName(one, pool) === listenerName(other, otherPool)).toBe(isSame)
      }),
    )
  })

  test('is no rule, and no rule is a listener', () => {
    for (const rule of [chainUnit('nat', 'listen'), lineUnit('nat', '-A PREROUTING -j KUBE-PORTALS-CONTAINER')]) {
      expect([isListener(rule), listenerOf(rule)]).toEqual([false, undefined])
    }
  })
})

test('chains are ours in their own table alone, and branches in nat', () => {
  for (const table of TABLES) {
    for (const chain of CHAINS[table]) expect(TABLES.filter(one => isOurChain(one, chain))).toEqual([table])
  }
  const branches = (['container', 'host'] as const).flatMap(side =>
    [1, 2, 3].map(depth => branchChain(side, cidr('10.96.0.0/16'), depth)),
  )
  expect(new Set(branches).size).toBe(6)
  for (const chain of branches) expect(TABLES.filter(one => isOurChain(one, chain))).toEqual(['nat'])
  expect(['KUBE-PC4-AAAAAAAAAAAAAAAA', 'KUBE-PX1-AAAAAAAAAAAAAAAA'].filter(chain => isOurChain('nat', chain))).toEqual(
    [],
  )
})
