import { describe, expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import type { Unit } from '#proxy/modes/mode.ts'
import { diff } from '#proxy/plan/diff.ts'
import { Draft, ownerOf } from '#proxy/sync/draft.ts'
import { NOTHING_MEANT, type ServiceRules, serviceDifferences } from '#verify/services/differences.ts'
import { DEFAULT_FLAGS, nodeFacts } from '../../support/flags.ts'
import { cidr, endpoint, ip, service, slice } from '../../support/objects.ts'
import { unit, unitText } from '../../support/units.ts'

// The rules that a node has, beside those that it should have, of real Services.

const TOOLS = { family: 'ipv4', variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' } as const
const MODE = iptables(TOOLS)
const CART = service('shop/cart', ['10.96.0.10'])
const PODS = slice('shop/cart-1', 'shop/cart', [endpoint('10.244.1.2'), endpoint('10.244.1.3')])
const SERVICES = 'nat KUBE-SERVICES'

function draftOf(objects: readonly ClusterObject[]): Draft {
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const flags = { ...DEFAULT_FLAGS, localPods: { by: 'cluster-cidr', cidrs: [cidr('10.244.0.0/16')] } } as const
  const draft = new Draft(cluster, MODE, nodeFacts({ flags, family: 'ipv4', addresses: [ip('10.99.0.2')] }))
  draft.update()
  return draft
}

function rulesOf(objects: readonly ClusterObject[], damage: (rules: Map<Unit, string>) => void): ServiceRules {
  const whole = draftOf(objects)
  const installed = new Map(whole.book.rules)
  damage(installed)
  const owners = (unit: Unit) =>
    [...whole.book.owners()].filter(owner => owner.startsWith('shop/') && whole.book.entriesOf(owner).has(unit))
  return {
    ...{ mode: MODE, view: whole.nodeFacts!.view, nodeAddresses: [ip('10.99.0.2')] },
    ...{ installed, wanted: whole.book.rules, plan: diff(installed, whole.book.rules) },
    traffic: new Map([...whole.resolved()].map(({ traffic }) => [ownerOf(traffic), traffic])),
    ownersOf: owners,
  }
}

const found = (objects: readonly ClusterObject[], damage: (rules: Map<Unit, string>) => void) =>
  serviceDifferences(rulesOf(objects, damage))

/** The unit whose name or text has these words. */
function unitWith(rules: ReadonlyMap<Unit, string>, words: string): Unit {
  return [...rules].find(([unit, text]) => `${unitText(unit)}\n${text}`.includes(words))![0]
}

test('rules that are as they should be differ in nothing', () => expect(found([CART, PODS], () => {})).toEqual([]))

describe('a unit', () => {
  test('that is missing is named with its Service, what it should say, and what becomes of connections', () => {
    const [first, ...more] = found([CART, PODS], rules =>
      rules.delete(unitWith(rules, '--to-destination 10.244.1.2:8080')),
    )
    expect(more).toEqual([])
    expect(first).toMatchObject({ kind: 'missing', part: 'services', owners: ['shop/cart/tcp'], found: [], alike: 0 })
    expect(first!.unit).toMatch(/^IPv4 nat KUBE-SEP-/)
    expect(first!.wanted.at(-1)).toContain('--to-destination 10.244.1.2:8080')
    expect(first!.means).toMatch(/cannot be followed/)
  })

  test('that is other shows the lines that differ alone, and counts those that are the same', () => {
    const [first] = found([CART, PODS], rules => {
      const changed = unitWith(rules, '--to-destination 10.244.1.2:8080')
      rules.set(changed, rules.get(changed)!.replace('10.244.1.2:8080', '10.244.1.9:8080'))
    })
    expect(first).toMatchObject({ kind: 'different', owners: ['shop/cart/tcp'], alike: 1 })
    expect([first!.found.length, first!.wanted.length]).toEqual([1, 1])
    expect(first!.means).toContain('may reach 10.244.1.9:8080, which is no endpoint of it')
  })

  test('that is the node’s own says what becomes of some Service, and that others share it', () => {
    const two = [
      CART,
      PODS,
      service('shop/db', ['10.96.0.11']),
      slice('shop/db-1', 'shop/db', [endpoint('10.244.1.4')]),
    ]
    const [first] = found(two, rules => rules.delete(unitWith(rules, 'nat -A PREROUTING')))
    expect(first).toMatchObject({ kind: 'missing', owners: [] })
    expect(first!.means).toMatch(/^connections to shop\/(cart|db) at .*; and so for others of the 2 service ports$/)
  })

  test('that several Services share names them all', () => {
    const two = [CART, PODS, service('shop/db', ['10.96.0.11'])]
    const [first] = found(two, rules => {
      rules.set(unit(SERVICES), '')
    })
    expect(first!.owners).toEqual(['shop/cart/tcp'])
    expect(first!.means).toContain('will pass this node as they are')
  })
})

describe('a unit that should not be there', () => {
  const STALE =
    '-A KUBE-SERVICES -d 10.96.0.99/32 -p tcp -m comment --comment "gone" -m tcp --dport 443 -j KUBE-SVC-AAAAAAAAAAAAAAAA'

  test('means nothing where no rule leads to it', () => {
    const [first] = found([CART, PODS], rules => rules.set(unit('nat KUBE-SVC-AAAAAAAAAAAAAAAA'), ''))
    expect(first).toMatchObject({
      kind: 'extra',
      owners: [],
      wanted: [],
      means: 'nothing that is of a Service now leads to it',
    })
  })

  test('that still answers at an address of no Service says where', () => {
    const differences = found([CART, PODS], rules => {
      rules.set(
        unit('nat KUBE-SVC-AAAAAAAAAAAAAAAA'),
        '-A KUBE-SVC-AAAAAAAAAAAAAAAA -p tcp -m tcp -j DNAT --to-destination 10.244.1.9:443',
      )
      rules.set(unit(SERVICES), `${STALE}\n${rules.get(unit(SERVICES))}`)
    })
    expect(differences.map(({ kind }) => kind)).toEqual(['different', 'extra'])
  })
})

test('of very many differences each is named, and only the first say what they mean', () => {
  const objects = Array.from({ length: 30 }, (_, i) => [
    service(`shop/s${i}`, [`10.96.1.${i}`]),
    slice(`shop/s${i}-1`, `shop/s${i}`, [endpoint(`10.244.2.${i}`)]),
  ])
  const all = found(objects.flat(), rules => rules.clear())
  expect(all.length).toBeGreaterThan(60)
  const meant = all.filter(({ means }) => means !== '')
  expect(meant).toHaveLength(40)
  // Alone a chain may lead nowhere: what is said then is of all that is missing.
  for (const { means } of meant) expect(means === NOTHING_MEANT || means.includes('connections to')).toBe(true)
})
