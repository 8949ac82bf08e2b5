import { expect, test } from 'vitest'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { endpoint, ip, name, port, service, slice } from '../../support/objects.ts'
import { unit } from '../../support/units.ts'

// Step by step: all Services are resolved before the first is written into the book, and each is written once.

const MANY = 5

function draftOf() {
  const cluster = new Cluster()
  const written: string[] = []
  const mode: Mode = {
    name: 'iptables',
    needs: {},
    portions: plan => [plan],
    base: ({ endpointComments }) => [{ unit: unit('base'), text: `comments ${endpointComments}` }],
    service: ({ id, pools }, { endpointComments }) => {
      written.push(id)
      return [{ unit: unit(id), text: `${endpointComments} ${pools.cluster.map(({ text }) => text).join(' ')}` }]
    },
    write: () => [],
    read: async () => new Map(),
    trace: () => [],
  }
  const node = { zone: 'a' }
  const draft = new Draft(cluster, mode, (_, endpoints) => ({
    thisNode: { family: 'ipv4', nodeName: 'here', masquerade: 'never', zone: node.zone },
    view: {
      family: 'ipv4',
      mark: 1,
      nodePortAddresses: 'all',
      localhostNodePorts: true,
      masquerade: 'from-outside',
      dropInvalid: true,
      endpointComments: endpoints < MANY,
    },
    addresses: [],
  }))
  const put = (n: number): void => {
    const called = `shop/s${n}`
    for (const object of [
      service(called, [`10.96.0.${n + 1}`], { ports: [port({ port: 80 })] }),
      slice(`${called}-x`, called, [endpoint(`10.244.0.${n + 1}`)]),
    ])
      draft.touch(cluster.apply({ type: 'put', object }).services)
  }
  return { cluster, draft, written, put, node }
}

test('what depends on how many endpoints there are waits until they are counted', () => {
  const { draft, written, put } = draftOf()
  for (let n = 0; n < MANY; n++) put(n)
  draft.update()
  expect(written.toSorted()).toEqual(['shop/s0', 'shop/s1', 'shop/s2', 'shop/s3', 'shop/s4'])
  expect(draft.book.rules.get(unit('shop/s0'))).toBe('false 10.244.0.1:8080')
  expect(draft.book.rules.get(unit('base'))).toBe('comments false')
})

test('in steps it comes to the same as at once, and returns all changes once', () => {
  const steps = draftOf()
  const whole = draftOf()
  for (const { put } of [steps, whole]) for (let n = 0; n < MANY; n++) put(n)
  const { serviceChanges } = whole.draft.update()
  let count = 0
  while (steps.draft.advance(2) === 'more') count++
  expect(count).toBeGreaterThan(4)
  const update = steps.draft.update()
  expect(steps.draft.book.rules).toEqual(whole.draft.book.rules)
  expect(update.serviceChanges).toEqual(serviceChanges)
  expect(steps.draft.update().serviceChanges).toEqual({ added: [], updated: [], removed: [] })
})

test('what comes and goes between two steps is followed', () => {
  const { cluster, draft, put } = draftOf()
  for (let n = 0; n < 3; n++) put(n)
  for (let n = 0; n < 3; n++) draft.advance(2)
  draft.touch(cluster.apply({ type: 'gone', kind: 'Service', name: name('shop/s0') }).services)
  put(3)
  draft.update()
  expect([...draft.book.rules.keys()].sort()).toEqual(['base', 'shop/s1', 'shop/s2', 'shop/s3'])
})

test('where the node moves to another zone everything is resolved again', () => {
  const { cluster, draft, put, node } = draftOf()
  put(0)
  const zones = (zone: string) => ({ ...endpoint(`10.244.1.${zone.charCodeAt(0)}`), forZones: [zone] })
  const object = slice('shop/s0-x', 'shop/s0', [zones('a'), zones('b')])
  draft.touch(cluster.apply({ type: 'put', object }).services)
  draft.update()
  expect(draft.book.rules.get(unit('shop/s0'))).toBe(`true ${ip('10.244.1.97')}:8080`)
  node.zone = 'b'
  draft.update()
  expect(draft.book.rules.get(unit('shop/s0'))).toBe(`true ${ip('10.244.1.98')}:8080`)
})
