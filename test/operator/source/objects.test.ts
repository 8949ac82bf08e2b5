import { describe, expect, test } from 'vitest'
import type { Event } from '#kubernetes/event.ts'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { clusterOf, eventsOf, podsOf } from '#operator/source/objects.ts'
import { captureLog } from '../../support/captured-log.ts'
import { name, node, service } from '../../support/objects.ts'

// Objects of any source → the cluster of one node, all Nodes and pods; what is wrong with them is said.

const put = (object: ClusterObject): Event => ({ type: 'put', object })

function gathered(nodeName: string, ...events: readonly Event[]) {
  const { log, lines } = captureLog()
  return { ...clusterOf(events, nodeName, log), lines }
}

const names = (nodes: readonly { readonly name: string }[]) => nodes.map(one => one.name)

describe('the node that a cluster is seen from', () => {
  test.each([
    ['the one of this name', 'two', ['one', 'two'], 'two'],
    ['the only one, whatever its name', 'laptop', ['one'], 'one'],
    ['none where there are several of other names', 'laptop', ['one', 'two'], undefined],
    ['none where there is none', 'one', [], undefined],
  ])('is %s', (_, own, all, chosen) => {
    const { cluster, nodes } = gathered(own, ...all.map(one => put(node(one))))
    expect(cluster.node?.name).toBe(chosen)
    expect(names(nodes)).toEqual(all)
  })
})

test('what cannot be used is left out with a warning for each problem, and the rest is there', () => {
  const wrong: Event = { type: 'problem', kind: 'Service', name: 'shop/bad', problems: ['no ports', 'no type'] }
  const odd: Event = { type: 'put', object: service('shop/odd', ['10.96.0.2']), warnings: ['is strange'] }
  const { cluster, lines } = gathered('one', wrong, odd, put(service('shop/cart', ['10.96.0.1'])))
  expect(names([...cluster.services()])).toEqual(['shop/odd', 'shop/cart'])
  expect(cluster.service(name('shop/bad'))).toBeUndefined()
  expect(lines).toEqual([
    'Service shop/bad: no ports (left out)',
    'Service shop/bad: no type (left out)',
    'Service shop/odd: is strange',
  ])
})

describe('JSON of a list', () => {
  const raw = (called: string, spec: object) => ({ metadata: { name: called, namespace: 'shop', uid: called }, spec })
  const ports = [{ port: 80 }]

  test('is what a watch would have delivered', () => {
    const [event] = eventsOf('Service', [raw('cart', { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ports })])
    expect(event).toMatchObject({ type: 'put', object: { name: 'shop/cart', clusterIPs: ['10.96.0.1'] } })
  })

  test.each([[null], [7], ['text'], [[]], [{}], [{ metadata: { name: 7 } }]])('%j is a problem, and no crash', item => {
    const events = eventsOf('Service', [item])
    expect(events.length).toBeGreaterThan(0)
    expect(events.every(({ type }) => type === 'problem')).toBe(true)
  })

  test('of pods leaves out what has no name', () => {
    const pod = {
      ...raw('web', { nodeName: 'one' }),
      status: { phase: 'Running', podIP: '10.244.1.2', podIPs: [{ ip: '10.244.1.2' }, { ip: 'fd00::2' }] },
    }
    const pods = podsOf([pod, null, 7, {}, { metadata: { name: 'x' } }, raw('young', { hostNetwork: true })])
    expect(pods.find(one => one.pod === 'shop/web')).toMatchObject({
      ...{ node: 'one', addresses: ['10.244.1.2', 'fd00::2'], isFinished: false, isOnHost: false },
    })
    expect(pods.find(one => one.pod === 'shop/young')).toMatchObject({ node: '', addresses: [], isOnHost: true })
    expect(pods).toHaveLength(2)
  })
})
