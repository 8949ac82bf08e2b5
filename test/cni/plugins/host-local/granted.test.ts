import { expect, test } from 'vitest'
import type { GrantedRanges } from '#ipam/leases/lease-book.ts'
import type { PaperLeaseBook } from '#lab/paper/lease-book.ts'
import { setOf } from '../../../support/leases.ts'
import { PaperNode } from './node.ts'

// Networks that name no range have those of the node.

const NONE = { type: 'host-local' }
const granted = (subnet: string, revision: number): GrantedRanges => ({
  ...{ source: 'node', sets: [setOf(subnet)], why: '', revision },
})

function nodeWith(ranges: GrantedRanges | undefined): PaperNode {
  const node = new PaperNode()
  ;(node.book as PaperLeaseBook).grantedRanges = ranges
  return node
}

test('an address is of the node’s range, as if the configuration had named it', async () => {
  const node = nodeWith(granted('10.244.7.0/24', 1))
  expect(await node.add('c1', { ipam: NONE })).toBe('10.244.7.2/24')
  expect((await node.ask('CHECK', { container: 'c1', ipam: NONE })).said).toBeUndefined()
  expect((await node.ask('STATUS', { ipam: NONE })).said).toBeUndefined()
})

test('a configuration that names its own is as it was', async () => {
  expect(await nodeWith(granted('10.244.7.0/24', 1)).add('c1')).toBe('10.9.0.2/29')
})

test('while the node has none, ADD is to be tried again, and STATUS says why', async () => {
  const node = nodeWith({ source: 'node', sets: [], why: 'Node n1 has no spec.podCIDRs yet', revision: 1 })
  const said = { msg: 'this node has no range of addresses for pods', details: 'Node n1 has no spec.podCIDRs yet' }
  expect((await node.ask('ADD', { ipam: NONE })).said).toMatchObject({ code: 11, ...said })
  expect((await node.ask('STATUS', { ipam: NONE })).said).toMatchObject({ code: 50, ...said })
  expect((await node.ask('DEL', { ipam: NONE })).said).toBeUndefined()
})

test('where no source gives the node ranges, it is the mistake it always was', async () => {
  const { said } = await nodeWith(undefined).ask('ADD', { ipam: NONE })
  expect(said).toMatchObject({ code: 7, msg: 'no IP ranges specified' })
})

test('a range that is given away between the look and the lease is not given from', async () => {
  const node = nodeWith(granted('10.244.7.0/24', 1))
  const book = node.book as PaperLeaseBook
  const look = book.granted.bind(book)
  let looks = 0
  book.granted = async () => {
    const before = await look()
    if (looks++ === 0) book.grantedRanges = granted('10.244.9.0/24', 2)
    return before
  }
  expect([await node.add('c1', { ipam: NONE }), looks]).toEqual(['10.244.9.2/24', 2])
})

test('ranges that change with every look are to be tried again, and nothing is taken', async () => {
  const node = nodeWith(granted('10.244.7.0/24', 1))
  const book = node.book as PaperLeaseBook
  let looks = 0
  book.granted = async () => granted('10.244.7.0/24', 100 + ++looks)
  expect(await node.add('c1', { ipam: NONE })).toBe(
    '11: failed to allocate for range 0: the ranges of this node have changed several times just now',
  )
  expect([looks, await node.held('c1')]).toEqual([5, []])
})
