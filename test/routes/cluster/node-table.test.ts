import { expect, test } from 'vitest'
import { decodeNode } from '#kubernetes/decode/node.ts'
import type { Event } from '#kubernetes/event.ts'
import { NodeTable } from '#routes/cluster/node-table.ts'
import { cidr } from '../stage.ts'

const SYNCED: Event = { type: 'synced', kind: 'Node' }

function put(name: string, podCIDRs: readonly string[], labels: object = {}): Event {
  const status = { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] }
  const decoded = decodeNode({ metadata: { name, uid: 'u', labels }, spec: { podCIDRs }, status })
  if (!('object' in decoded) || decoded.object === undefined) throw new Error('no Node')
  return { type: 'put', object: decoded.object }
}

test('there is no cluster before all of it is known, and a heartbeat is no change', () => {
  const table = new NodeTable('of Nodes')
  table.apply(put('b', ['10.244.2.0/24']))
  expect(table.cluster()).toBeUndefined()
  table.apply(SYNCED)
  table.apply(put('a', ['10.244.1.0/24']))
  expect(table.cluster()!.map(({ name, ranges }) => `${name} ${ranges}`)).toEqual([
    'a 10.244.1.0/24',
    'b 10.244.2.0/24',
  ])
  const { revision } = table
  table.apply(put('a', ['10.244.1.0/24'], { heart: 'beats' }))
  expect(table.revision).toBe(revision)
  table.apply({ type: 'gone', kind: 'Node', name: 'b' as never })
  expect([table.revision, table.cluster()!.length]).toEqual([revision + 1, 1])
})

test('where another source says the ranges, it is waited for, and a node that has none yet has none', () => {
  const table = new NodeTable('of another source')
  table.apply(put('a', ['10.244.1.0/24']))
  table.apply(put('b', ['10.244.2.0/24']))
  table.apply(SYNCED)
  expect(table.cluster()).toBeUndefined()
  table.give([{ name: 'a', ranges: [cidr('10.32.0.0/13')] }])
  expect(table.cluster()!.map(({ ranges }) => ranges)).toEqual([['10.32.0.0/13'], []])
  const { revision } = table
  table.give([{ name: 'a', ranges: [cidr('10.32.0.0/13')] }])
  expect(table.revision).toBe(revision)
  table.give([
    { name: 'a', ranges: [cidr('10.32.0.0/13')] },
    { name: 'a', ranges: [cidr('10.40.0.0/13')] },
  ])
  expect(table.cluster()![0]!.ranges).toEqual(['10.32.0.0/13', '10.40.0.0/13'])
})
