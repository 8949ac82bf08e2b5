import { expect, test } from 'vitest'
import { findingEvent } from '#ipam/nodes/finding-event.ts'
import { notAvailable } from '#ipam/nodes/findings.ts'
import { EventWriter, type Fate, type WrittenEvent } from '#kubernetes/event-writer.ts'
import { systemClock } from '#system/clock.ts'
import { served } from '../../kubernetes/writes/served.ts'

const BY = { hostname: 'controller-1', now: Date.parse('2026-11-20T10:00:00.123Z') }

test('an event about the Node, with what is known of it', () => {
  const event: WrittenEvent = findingEvent(BY, notAvailable({ name: 'n1', uid: 'u1' }, [], 0))
  expect(event).toMatchObject({
    metadata: { name: expect.stringMatching(/^n1\.[a-z0-9]{8,}$/), namespace: 'default' },
    eventTime: '2026-11-20T10:00:00.123000Z',
    reason: 'CIDRNotAvailable',
    regarding: { kind: 'Node', apiVersion: 'v1', name: 'n1', uid: 'u1' },
    type: 'Warning',
  })
})

test('two controllers that find the same of two nodes make one event for each node', async () => {
  const { server, requests, close } = await served()
  const fates: Fate[] = []
  const found = ['n1', 'n2'].map(name => notAvailable({ name, uid: `uid-${name}` }, [], 0))
  const writers = ['c1', 'c2'].map(hostname => {
    const { transport } = requests
    const writer = new EventWriter({ transport, clock: systemClock, onFate: fate => fates.push(fate) })
    for (const finding of found) writer.send(findingEvent({ hostname, now: Date.now() }, finding))
    return writer
  })
  await expect.poll(() => fates.map(({ result }) => result), { interval: 5 }).toEqual(Array(4).fill('sent'))
  const answer = await fetch(`${server.url}/apis/events.k8s.io/v1/events`)
  const { items } = (await answer.json()) as { items: readonly { readonly regarding: { readonly name: string } }[] }
  const kept = items.map(({ regarding }) => regarding.name)
  expect(kept.toSorted()).toEqual(['n1', 'n2'])
  await Promise.all(writers.map(writer => writer.close()))
  await close()
})
