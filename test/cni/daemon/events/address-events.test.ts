import { afterEach, beforeEach, expect, test } from 'vitest'
import { addressEvent } from '#cni/daemon/events/address-event.ts'
import { AddressEvents } from '#cni/daemon/events/address-events.ts'
import { levelContent } from '#cni/daemon/events/contents.ts'
import type { RegisteredUsage } from '#ipam/leases/changes/usage.ts'
import type { WrittenEvent } from '#kubernetes/event-writer.ts'
import { address, range } from '../../../support/leases.ts'
import { WatchedNode } from '../rounds/watched-node.ts'

const BY = { nodeName: 'node-1', hostname: 'host-1', now: Date.parse('2026-11-20T10:00:00.123Z') }
const ABOUT_NODE = { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'node-1' }

let watched: WatchedNode
beforeEach(() => {
  watched = new WatchedNode()
})
afterEach(() => watched.close())

const shown = (events: readonly WrittenEvent[]) =>
  events.map(({ regarding, reason, note }) => [regarding, reason, note])

function usage(assigned: number): RegisteredUsage {
  const ranges = [range('10.9.1.0/24 10.9.1.1-10.9.1.101')] as const
  const counts = { size: 100n, assigned, cooling: 2, elsewhere: 0, oldest: [] }
  return { network: 'mynet', set: 0, ranges, overlap: 'refuse', usage: counts }
}

test('a set that runs full is an Event about the node, with what is left', () => {
  const sent: WrittenEvent[] = []
  const events = new AddressEvents({ send: event => void sent.push(event), close: async () => {} }, () => BY)
  events.level(usage(90), 'near', 'later')
  events.level(usage(98), 'full', 'later')
  events.level(usage(20), 'roomy', 'later')
  const set = 'Range set 0 of network mynet (10.9.1.1-10.9.1.101)'
  const look = 'see switchyard ipam ls --network mynet'
  expect(shown(sent)).toEqual([
    [
      ABOUT_NODE,
      'AddressesNearlyExhausted',
      `${set} is nearly full: 92%, 90 used, 2 cooling down, 8 free of 100; ${look}`,
    ],
    [
      ABOUT_NODE,
      'AddressesExhausted',
      `${set} is full, new pods get no address: 100%, 98 used, 2 cooling down, 0 free of 100; ${look}`,
    ],
    [
      ABOUT_NODE,
      'AddressesAvailable',
      `${set} is no longer nearly full: 22%, 20 used, 2 cooling down, 78 free of 100; ${look}`,
    ],
  ])
  expect(sent[0]).toMatchObject({
    metadata: { name: expect.stringMatching(/^node-1\.[a-z0-9]{8}$/), namespace: 'default' },
    eventTime: '2026-11-20T10:00:00.123000Z',
    reportingController: 'switchyard',
    reportingInstance: 'switchyard-host-1',
  })
  expect(sent.map(({ type }) => type)).toEqual(['Warning', 'Warning', 'Normal'])
})

test('a daemon that starts anew gives the Event of a set that is full as it was the name it had; a second crossing has another', () => {
  const name = (used: number, found: 'at-start' | 'later', now: number) =>
    addressEvent({ ...BY, now }, levelContent(usage(used), 'near', found)).metadata.name
  expect(name(91, 'at-start', 1)).toBe(name(90, 'at-start', 2))
  expect(name(90, 'later', 1)).not.toBe(name(90, 'later', 2))
})

test('leaks of a round are one Event of their network, once, however many rounds find them', async () => {
  const { node, events } = watched
  for (const container of ['a', 'b']) await node.add(container)
  await node.minutes(2)
  for (const container of ['a', 'b']) node.vanish(container)
  watched.start()
  await node.minutes(9)
  expect(shown(events)).toEqual([
    [
      ABOUT_NODE,
      'LeakedAddressesFound',
      'Nothing uses 2 attachments of network mynet any more: 10.9.0.2 (default/a), 10.9.0.3 (default/b); switchyard ipam gc --free takes back the addresses',
    ],
  ])
})

test('leaks that are freed are one, too', async () => {
  const { node, events } = watched
  await node.add('a')
  await node.minutes(2)
  node.vanish('a')
  watched.start({ found: 'free' })
  await node.minutes(9)
  expect(shown(events)).toEqual([
    [
      ABOUT_NODE,
      'LeakedAddressesFreed',
      'Took back the addresses of 1 attachment of network mynet that nothing used any more: 10.9.0.2 (default/a)',
    ],
  ])
})

test('of many leaks ten have their names', async () => {
  const sent: WrittenEvent[] = []
  const events = new AddressEvents({ send: event => void sent.push(event), close: async () => {} }, () => BY)
  const round = events.round()
  for (let i = 0; i < 65_000; i++) {
    const holder = { network: 'mynet', container: `c${i}`, ifname: 'eth0' }
    round.found({ holder, leases: [{ address: address('10.9.0.2') }] } as never)
  }
  round.leaks()
  expect(sent).toHaveLength(1)
  expect(sent[0]!.note).toContain('10.9.0.2 (container c9), and 64990 more')
})

test('two pods with one address: an Event about each, when it is found and not again', async () => {
  const { node, events } = watched
  const [lease] = await node.add('a', { uid: 'uid-a' })
  await node.add('b', { uid: 'uid-b' })
  node.namespaces.get('/run/netns/b')!.addresses.add(lease!.address)
  watched.start()
  await node.minutes(5)
  const note = 'default/b uses 10.9.0.2 on eth0 without a lease of network mynet; it is leased to default/a'
  const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'default' }
  expect(shown(events)).toEqual([
    [{ ...pod, name: 'b', uid: 'uid-b' }, 'AddressConflict', note],
    [{ ...pod, name: 'a', uid: 'uid-a' }, 'AddressConflict', note],
  ])
  expect(events.map(({ metadata }) => metadata.namespace)).toEqual(['default', 'default'])
})
