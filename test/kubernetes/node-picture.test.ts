import { expect, test } from 'vitest'
import { listedNode } from '#ipam/nodes/adoption.ts'
import type { Event } from '#kubernetes/event.ts'
import { NodePicture } from '#kubernetes/node-picture.ts'
import type { Cidr } from '#values/cidr.ts'
import { name, node } from '../support/objects.ts'

const put = (object: ReturnType<typeof node>): Event => ({ type: 'put', object })

test('Nodes come, get podCIDRs, leave and go; heartbeats and other kinds are no change', () => {
  const picture = new NodePicture(listedNode)
  const podCIDRs = ['10.244.0.0/24'] as Cidr[]
  const events: readonly Event[] = [
    put(node('a')),
    put(node('a', { taints: ['node.kubernetes.io/not-ready'] })),
    { type: 'synced', kind: 'Service' },
    { type: 'gone', kind: 'Service', name: name('a') },
    { type: 'problem', kind: 'Node', name: 'a', problems: ['status: odd'] },
    put(node('a', { podCIDRs })),
    put(node('a', { podCIDRs, deleting: true })),
    { type: 'gone', kind: 'Node', name: name('a') },
    put(node('b', { uid: 'other' })),
  ]
  expect(events.map(event => picture.apply(event))).toEqual([true, false, false, false, false, true, true, true, true])
  expect(picture.list()).toEqual([{ name: 'b', uid: 'other', podCIDRs: [], deleting: false }])
})

test('it is whole when the watch has delivered all of them', () => {
  const picture = new NodePicture(listedNode)
  picture.apply(put(node('a')))
  expect(picture.isWhole).toBe(false)
  expect(picture.apply({ type: 'synced', kind: 'Node' })).toBe(true)
  expect(picture.isWhole).toBe(true)
  expect(picture.apply({ type: 'synced', kind: 'Node' })).toBe(false)
})
