import { expect, test } from 'vitest'
import type { ListedNode } from '#ipam/nodes/adoption.ts'
import { clusterRanges } from '#ipam/nodes/blocks/cluster-ranges.ts'
import { type NodeRoundParts, nodeRound } from '#ipam/nodes/node-round.ts'
import type { BlockRecord } from '#ipam/nodes/record/block-record.ts'
import type { Cidr } from '#values/cidr.ts'

const EMPTY: BlockRecord = { holders: [], last: [], revision: 1 }

function node(name: string, ...podCIDRs: string[]): ListedNode {
  return { name, uid: `uid-${name}`, podCIDRs: podCIDRs as Cidr[], deleting: false }
}

function holder(name: string, ...blocks: string[]): BlockRecord['holders'][number] {
  return { name, uid: `uid-${name}`, blocks: blocks as Cidr[] }
}

function round(given: Partial<NodeRoundParts> & { readonly clusterCidr?: string; readonly serviceRange?: string }) {
  const { clusterCidr = '10.244.0.0/22', serviceRange = '', ...parts } = given
  const decoded = clusterRanges({ clusterCidr, serviceRange })
  if (!decoded.ok) throw new Error(decoded.problems.join())
  const usual = { record: EMPTY, nodes: [], proven: new Map(), now: 5000, graceMs: 1000, ranges: decoded.ranges }
  return nodeRound({ ...usual, ...parts })
}

test('a node gets a block of each family: first in the record, then in its object', () => {
  const { record, patches, findings } = round({ clusterCidr: '10.244.0.0/16,fd00:10:244::/48', nodes: [node('a')] })
  const podCIDRs = ['10.244.0.0/24', 'fd00:10:244::/64']
  expect(record).toEqual({ holders: [holder('a', ...podCIDRs)], last: podCIDRs, revision: 2 })
  expect(patches).toEqual([{ name: 'a', uid: 'uid-a', podCIDRs }])
  expect(findings).toEqual([])
})

test('what the nodes have is in the record before any block is given', () => {
  const nodes = [node('new'), node('old', '10.244.0.0/24')]
  const first = round({ record: undefined, nodes })
  expect(first.record.holders).toEqual([holder('old', '10.244.0.0/24')])
  expect(first.patches).toEqual([])
  const second = round({ record: first.record, nodes })
  expect(second.patches).toEqual([{ name: 'new', uid: 'uid-new', podCIDRs: ['10.244.1.0/24'] }])
})

test('a controller that ended between the record and the node: the next round sets what was recorded', () => {
  const record = { ...EMPTY, holders: [holder('a', '10.244.2.0/24')] }
  const next = round({ record, nodes: [node('a')] })
  expect(next.record).toBe(record)
  expect(next.patches).toEqual([{ name: 'a', uid: 'uid-a', podCIDRs: ['10.244.2.0/24'] }])
})

test('where all is as recorded, the record is the same object', () => {
  const record = { ...EMPTY, holders: [holder('a', '10.244.2.0/24')] }
  const next = round({ record, nodes: [node('a', '10.244.2.0/24')] })
  expect(next.record).toBe(record)
  expect(next.patches).toEqual([])
})

test('a node that leaves gets no block', () => {
  expect(round({ nodes: [{ ...node('a'), deleting: true }] }).record).toBe(EMPTY)
})

test('a node that the list lacks keeps its block until it is proven to be deleted, and then for the grace', () => {
  const record = { ...EMPTY, holders: [holder('a', '10.244.0.0/24')] }
  const doubtful = round({ record })
  expect(doubtful.doubts).toEqual([{ name: 'a', uid: 'uid-a' }])
  expect(doubtful.record).toBe(record)
  expect(round({ record, proven: new Map([['uid-a', 'alive']]) }).record).toBe(record)

  const gone = round({ record, proven: new Map([['uid-a', 'deleted']]) }).record
  expect(gone.holders).toEqual([{ ...holder('a', '10.244.0.0/24'), goneSince: 5000 }])
  expect(round({ record: gone, now: 5999 }).record).toBe(gone)
  expect(round({ record: gone, now: 6000 }).record.holders).toEqual([])
})

test('a node without a uid is none: nothing could be said to be its own', () => {
  expect(round({ nodes: [{ ...node('a'), uid: '' }] }).record).toBe(EMPTY)
})

test('a node that is made anew under the same name is another one, and gets another block', () => {
  const record = { ...EMPTY, holders: [holder('a', '10.244.0.0/24')], last: ['10.244.0.0/24' as Cidr] }
  const again = { ...node('a'), uid: 'uid-2' }
  const { patches } = round({ record, nodes: [again], proven: new Map([['uid-a', 'deleted']]) })
  expect(patches).toEqual([{ name: 'a', uid: 'uid-2', podCIDRs: ['10.244.1.0/24'] }])
})

test('where no block is left, the event has the numbers, and other nodes keep theirs', () => {
  const holders = [holder('a', '10.244.0.0/24'), { ...holder('b', '10.244.1.0/24'), goneSince: 4500 }]
  const nodes = [node('a', '10.244.0.0/24'), node('c')]
  const full = round({ record: { ...EMPTY, holders }, nodes, serviceRange: '10.244.2.0/23' })
  expect(full.findings).toEqual([
    {
      node: nodes[1],
      reason: 'CIDRNotAvailable',
      message:
        'no block is left for node c: 10.244.0.0/22 has 4 blocks of /24, 2 used and 2 excluded for Services; those of 1 deleted node come back soon',
    },
  ])
  expect(full.counts).toEqual([{ range: '10.244.0.0/22', nodeMask: 24, total: 4, excluded: 2, used: 2, free: 0 }])
})

test('where one family is used up, no block of the other is lost', () => {
  const clusterCidr = '10.244.0.0/24,fd00:10:244::/48'
  const { counts, findings, patches } = round({ clusterCidr, nodes: [node('a'), node('b')] })
  expect(patches.map(({ name }) => name)).toEqual(['a'])
  expect(counts.map(({ used }) => used)).toEqual([1, 1])
  expect(findings.map(({ node: { name }, reason }) => [name, reason])).toEqual([['b', 'CIDRNotAvailable']])
})

test('podCIDRs outside of the range are reported, held, and stop nothing', () => {
  const { record, findings, patches } = round({ nodes: [node('a', '192.168.7.0/24'), node('b')] })
  expect(record.holders).toEqual([holder('a', '192.168.7.0/24'), holder('b', '10.244.0.0/24')])
  expect(findings.map(({ reason, message }) => [reason, message])).toEqual([
    [
      'CIDROutOfRange',
      "podCIDRs 192.168.7.0/24 of node a are not in the cluster's 10.244.0.0/22; the Node stays as it is",
    ],
  ])
  expect(patches).toHaveLength(1)
})

test('podCIDRs that are not as recorded are reported once; the record follows, and the block that was never set is free', () => {
  const record = { ...EMPTY, holders: [holder('a', '10.244.0.0/24')] }
  const nodes = [node('a', '10.244.3.0/24')]
  const first = round({ record, nodes })
  expect(first.record.holders).toEqual([holder('a', '10.244.3.0/24')])
  expect(first.patches).toEqual([])
  expect(first.findings.map(({ message }) => message)).toEqual([
    'podCIDRs of node a are 10.244.3.0/24, recorded was 10.244.0.0/24: another program has set them; the Node stays as it is, and the record follows',
  ])
  const second = round({ record: first.record, nodes })
  expect(second.record).toBe(first.record)
  expect(second.findings).toEqual([])
})

test('two nodes that have the same addresses: proven, reported, held until both are gone', () => {
  const nodes = [node('a', '10.244.0.0/24'), node('b', '10.244.0.128/25')]
  const record = { ...EMPTY, holders: [holder('a', '10.244.0.0/24')] }
  expect(round({ record, nodes }).doubts).toEqual([{ name: 'b', uid: 'uid-b' }])
  const both = round({ record, nodes, proven: new Map([['uid-b', 'alive']]) })
  expect(both.record.holders[1]).toEqual({ ...holder('b', '10.244.0.128/25'), contested: true })
  expect(both.findings.map(({ reason, node: { name } }) => [reason, name])).toEqual([['CIDRConflict', 'b']])

  const holders = both.record.holders.map(one => (one.name === 'a' ? { ...one, goneSince: 1 } : one))
  const alone = round({ record: { ...both.record, holders }, nodes: [nodes[1]!] })
  expect(alone.record.holders).toEqual([holder('b', '10.244.0.128/25')])
  expect(alone.counts[0]!.used).toBe(1)
})

test('a block that another program has set in another node meanwhile is not set a second time', () => {
  const record = { ...EMPTY, holders: [holder('a', '10.244.0.0/24')] }
  const nodes = [node('a'), node('b', '10.244.0.0/24')]
  const { patches, findings } = round({ record, nodes, proven: new Map([['uid-b', 'alive']]) })
  expect(patches).toEqual([])
  expect(findings.map(({ node: { name } }) => name)).toEqual(['b', 'a'])
})
