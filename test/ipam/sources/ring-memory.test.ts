import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Journal, minus, NOTHING_KNOWN } from '#ipam/ring/journal.ts'
import { boundsOf, type OwnedRange, type RingRange } from '#ipam/ring/ring.ts'
import { RingMemory } from '#ipam/sources/ring-memory.ts'
import { addressNumber } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import { address } from '../../support/leases.ts'
import { PaperMemory } from './paper-memory.ts'

const RANGE = '10.32.0.0/24' as Cidr
const START = boundsOf(RANGE).start

function remembered(subnet = RANGE, range = RANGE) {
  const memory = new PaperMemory()
  const open = () => new RingMemory({ memory, range, subnet })
  return { memory, ring: open(), open }
}

const owned = (first: number, end: number, epoch = 1): OwnedRange => ({ start: START + first, end: START + end, epoch })
const journal = (ranges: readonly OwnedRange[], ...fences: readonly RingRange[]): Journal => ({
  ranges,
  fences: fences.map(({ start, end }) => ({ start, end, version: '1' })),
})
const numbers = (ranges: readonly RingRange[]) =>
  ranges.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i))
const given = (ring: RingMemory) =>
  ring
    .mine()
    .sets.flat()
    .map(({ start, end }) => ({ start: numberOf(start), end: numberOf(end) + 1 }))
const numberOf = (text: string) => Number(addressNumber(address(text)))
const shown = (ring: RingMemory) =>
  ring
    .mine()
    .sets.flat()
    .map(({ start, end }) => `${start}-${end}`)

describe('what pods may get', () => {
  test('is all that is this node’s and not being given away, with one gateway for all of it', () => {
    const { ring } = remembered()
    ring.begin('u')
    ring.save(journal([owned(0, 32), owned(64, 128, 3)], owned(16, 24)))
    expect(shown(ring)).toEqual(['10.32.0.1-10.32.0.15', '10.32.0.24-10.32.0.31', '10.32.0.64-10.32.0.127'])
    expect(
      new Set(
        ring
          .mine()
          .sets.flat()
          .map(({ gateway }) => gateway),
      ),
    ).toEqual(new Set(['10.32.0.1']))
  })

  test('is remembered by the next process, and where the ring is of another range, or the source was, nothing is', () => {
    const { ring, memory, open } = remembered()
    ring.begin('u')
    ring.save(journal([owned(0, 32)]))
    expect([open().load(), shown(open())]).toEqual([ring.load(), shown(ring)])
    const other = new RingMemory({ memory, range: '10.40.0.0/24' as Cidr, subnet: '10.40.0.0/24' as Cidr })
    expect([other.load(), other.mine()]).toEqual([NOTHING_KNOWN, { sets: [], why: 'the ring was not read yet' }])
    memory.save({ ...memory.grant!, source: 'node', record: 'podCIDRs' })
    expect(ring.mine()).toEqual({ sets: [], why: 'the ring was not read yet' })
  })

  test('is nothing while the Node is gone, though all of it is still known', () => {
    const { ring } = remembered()
    ring.begin('u')
    ring.save(journal([owned(0, 32)]))
    const before = ring.mine().sets
    ring.stop('there is no Node a')
    expect(ring.mine()).toMatchObject({ sets: [], why: 'there is no Node a' })
    ring.save(journal([owned(0, 32), owned(32, 64)]))
    expect([ring.mine().sets, ring.usable()]).toEqual([[], [owned(0, 32), owned(32, 64)]])
    ring.begin('u')
    expect([before[0]![0]!.start, shown(ring)]).toEqual(['10.32.0.1', ['10.32.0.1-10.32.0.63']])
  })
})

describe('the gateway', () => {
  const gateway = (ring: RingMemory) => ring.record()!.gateway

  test('is an address that no pod has, also where the first ones are leased from before', () => {
    const { ring, memory } = remembered()
    for (const last of [1, 2, 3]) memory.leases.add(START + last)
    ring.begin('u')
    ring.save(journal([owned(0, 16)]))
    expect(gateway(ring)).toBe('10.32.0.4')
  })

  test('stays while more comes, and while its own stretch is fenced: pods have it for as long as they run', () => {
    const { ring } = remembered()
    ring.begin('u')
    ring.save(journal([owned(64, 128)]))
    ring.save(journal([owned(0, 32), owned(64, 128)]))
    expect(gateway(ring)).toBe('10.32.0.64')
    ring.save(journal([owned(0, 32), owned(64, 128)], owned(64, 128)))
    expect([gateway(ring), shown(ring)]).toEqual(['10.32.0.64', ['10.32.0.1-10.32.0.31']])
  })

  test('is another one where its stretch is another node’s', () => {
    const { ring } = remembered()
    ring.begin('u')
    ring.save(journal([owned(0, 32), owned(64, 128)]))
    ring.save(journal([owned(64, 128)]))
    expect([gateway(ring), shown(ring)]).toEqual(['10.32.0.64', ['10.32.0.64-10.32.0.127']])
  })

  test('takes the place of nothing: where pods have every address, there is no range until more comes', () => {
    const { ring, memory } = remembered()
    for (let at = 1; at < 8; at++) memory.leases.add(START + at)
    ring.begin('u')
    ring.save(journal([owned(0, 8)]))
    expect(ring.mine()).toMatchObject({ sets: [], why: expect.stringMatching(/./) })
    ring.save(journal([owned(0, 8), owned(8, 16)]))
    expect([gateway(ring), shown(ring)]).toEqual(['10.32.0.8', ['10.32.0.1-10.32.0.15']])
  })
})

const anyRange = fc
  .uniqueArray(fc.integer({ min: 0, max: 64 }), { minLength: 2, maxLength: 8 })
  .map(cuts => cuts.toSorted((a, b) => a - b))
  .map(cuts => Array.from({ length: cuts.length >> 1 }, (_, i) => owned(cuts[2 * i]!, cuts[2 * i + 1]!, 1 + (i % 2))))

test('whatever the ring gives and takes: pods get what is usable and no more, and the gateway is never free or leased', () => {
  const step = fc.oneof(
    fc.record({ ranges: anyRange, fences: fc.oneof(fc.constant([]), anyRange) }),
    fc.record({ leased: fc.nat(63) }),
    fc.record({ ended: fc.nat(63) }),
  )
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), steps => {
      const subnet = '10.32.0.0/26' as Cidr
      const { ring, memory, open } = remembered(subnet)
      ring.begin('u')
      for (const one of steps) {
        if ('ranges' in one) ring.save(journal(one.ranges, ...one.fences))
        else if ('ended' in one) memory.leases.delete(START + one.ended)
        else if (numbers(given(ring)).includes(START + one.leased) && !isGateway(ring, START + one.leased))
          memory.leases.add(START + one.leased)
        const { start, end } = boundsOf(subnet)
        const { ranges, fences } = ring.load()
        const usable = numbers(ranges.flatMap(range => minus(range, fences))).filter(at => start < at && at < end - 1)
        if (ring.mine().sets.length > 0) expect(numbers(given(ring))).toEqual(usable)
        else expect(ring.mine().why).not.toBe('')
        const free = numbers(ring.freeIn(ring.usable()))
        expect(free.filter(at => memory.leases.has(at) || isGateway(ring, at))).toEqual([])
        expect(open().mine()).toEqual(ring.mine())
      }
    }),
  )
})

function isGateway(ring: RingMemory, at: number): boolean {
  const { gateway } = ring.record()!
  return gateway !== undefined && numberOf(gateway) === at
}

test('why there is no range is written where the words are others, and not where there is one', () => {
  const { ring, memory } = remembered()
  ring.begin('u')
  ring.explain('the ring is not made yet')
  const { saves } = memory
  ring.explain('the ring is not made yet')
  ring.begin('u')
  expect([memory.saves, ring.mine().why]).toEqual([saves, 'the ring is not made yet'])
  ring.save(journal([owned(0, 32)]))
  ring.explain('the ring is not made yet')
  expect(ring.mine().why).toBe('')
})
