import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  denied,
  donated,
  joined,
  merged,
  neighbours,
  requested,
  successors,
  takenOver,
  withoutRequest,
} from '#ipam/ring/changes.ts'
import { emptyRing, faultsOf, isSame, ownedBy, type Ring, type RingRequest, rangesOf } from '#ipam/ring/ring.ts'
import {
  ADDRESSES,
  anyPeer,
  anyRing,
  anyStretch,
  END,
  FIRST,
  ownerOfEach,
  PEERS,
  peer,
  RANGE,
  ringOf,
} from './rings.ts'

const anyPair = fc.uniqueArray(anyPeer, { minLength: 2, maxLength: 2 }) as fc.Arbitrary<
  [(typeof PEERS)[0], (typeof PEERS)[0]]
>
const anyDonation = fc
  .record({ pair: anyPair, range: anyStretch })
  .map(({ pair: [from, to], range }) => ({ from, to, range }))
const anyRequest: fc.Arbitrary<RingRequest> = fc
  .record({
    pair: anyPair,
    addresses: fc.integer({ min: 1, max: 9 }),
    denied: fc.subarray(['x', 'y']),
  })
  .map(({ pair: [asking, of], ...rest }) => ({ ...asking, of: of.name, ...rest }))

const anyChange: fc.Arbitrary<(ring: Ring) => Ring> = fc.oneof(
  anyPeer.map(one => (ring: Ring) => joined(ring, one)),
  anyPeer.map(one => (ring: Ring) => merged(ring, one)),
  anyPeer.map(one => (ring: Ring) => withoutRequest(ring, one)),
  anyRequest.map(request => (ring: Ring) => requested(ring, request)),
  anyRequest.map(request => (ring: Ring) => denied(ring, request)),
  anyDonation.map(donation => (ring: Ring) => donated(ring, donation)),
  anyPair.map(
    ([gone, heir]) =>
      (ring: Ring) =>
        takenOver(ring, gone, heir),
  ),
)

describe('whatever changes in a ring', () => {
  test('it stays sound, no address is lost, and one that gets another owner is in a later epoch', () => {
    fc.assert(
      fc.property(anyRing, fc.array(anyChange, { maxLength: 25 }), (first, changes) => {
        let ring = first
        for (const change of changes) {
          const after = change(ring)
          expect(faultsOf(after)).toEqual([])
          const now = ownerOfEach(after)
          for (const [i, { owner, epoch }] of ownerOfEach(ring).entries()) {
            const isKept = isSame(owner, now[i]!.owner)
            expect(now[i]!.epoch).toBeGreaterThanOrEqual(isKept ? epoch : epoch + 1)
          }
          ring = after
        }
      }),
    )
  })

  test('where nothing is to be changed, it is the same object, so that nothing is written', () => {
    fc.assert(
      fc.property(anyRing, fc.array(anyChange, { maxLength: 25 }), (first, changes) => {
        let ring = first
        for (const change of changes) {
          const after = change(ring)
          if (JSON.stringify(after) === JSON.stringify(ring)) expect(after).toBe(ring)
          ring = after
        }
      }),
    )
  })
})

describe('a donation', () => {
  test('moves these addresses alone, or nothing where they are not the donor’s own stretch', () => {
    fc.assert(
      fc.property(anyRing, anyDonation, fc.boolean(), (ring, { to, range, ...other }, isOwner) => {
        const from = isOwner ? ownerOfEach(ring)[range.start - FIRST]!.owner : other.from
        fc.pre(!isSame(from, to))
        const isOwn = ring.tokens.some((token, i) => {
          const { start, end } = ownedBy(ring, i)
          return isSame(token, from) && start <= range.start && range.end <= end
        })
        const after = donated(ring, { from, to, range })
        const isIn = (i: number) => range.start <= ADDRESSES[i]! && ADDRESSES[i]! < range.end
        const moved = ownerOfEach(ring).map((one, i) => (isIn(i) ? { owner: to, epoch: one.epoch + 1 } : one))
        if (isOwn) expect(ownerOfEach(after)).toEqual(moved)
        else expect(after).toBe(ring)
      }),
    )
  })

  test('and another of other addresses give the same ring in either order', () => {
    fc.assert(
      fc.property(anyRing, anyDonation, anyDonation, (ring, one, other) => {
        fc.pre(one.range.end <= other.range.start || other.range.end <= one.range.start)
        expect(donated(donated(ring, one), other)).toEqual(donated(donated(ring, other), one))
      }),
    )
  })

  test('answers the request of who gets it', () => {
    const ring = requested(ringOf([], { ...peer('a'), start: FIRST, epoch: 1 }), request('b', 'a'))
    const range = { start: FIRST, end: END }
    expect(donated(ring, { from: peer('a'), to: peer('b'), range })).toMatchObject({
      tokens: [{ name: 'b', start: FIRST, epoch: 2 }],
      requests: [],
    })
  })
})

describe('tokens of one peer that touch', () => {
  test('become one in the later epoch; no owner changes, and nothing of others', () => {
    fc.assert(
      fc.property(anyRing, anyPeer, (ring, one) => {
        const after = merged(ring, one)
        expect(ownerOfEach(after).map(({ owner }) => owner)).toEqual(ownerOfEach(ring).map(({ owner }) => owner))
        const others = ({ tokens }: Ring) => tokens.filter(token => !isSame(token, one))
        expect(others(after)).toEqual(others(ring))
        after.tokens.forEach((token, i) => {
          const next = after.tokens[i + 1]
          expect(next !== undefined && isSame(token, one) && isSame(next, one)).toBe(false)
        })
        for (const { start, end, epoch } of rangesOf(after, one)) {
          const inside = ownerOfEach(ring).filter((_, i) => start <= ADDRESSES[i]! && ADDRESSES[i]! < end)
          expect(epoch).toBe(Math.max(...inside.map(before => before.epoch)))
        }
      }),
    )
  })

  test('are the same ring, whichever peer merges its own first', () => {
    fc.assert(
      fc.property(anyRing, anyPair, (ring, [one, other]) => {
        expect(merged(merged(ring, one), other)).toEqual(merged(merged(ring, other), one))
      }),
    )
  })
})

describe('a peer that is gone', () => {
  test('leaves all it had to its heir, and is in the ring no more', () => {
    fc.assert(
      fc.property(anyRing, anyPair, anyRequest, (ring, [gone, heir], request) => {
        const after = takenOver(requested(ring, request), gone, heir)
        expect(ownerOfEach(after)).toEqual(
          ownerOfEach(ring).map(one => (isSame(one.owner, gone) ? { owner: heir, epoch: one.epoch + 1 } : one)),
        )
        expect([...after.tokens, ...after.peers, ...after.requests].filter(one => isSame(one, gone))).toEqual([])
      }),
    )
  })
})

describe('a peer that joins', () => {
  test('gets what was cut for its name before it was there, of which no other knows the uid', () => {
    const tokens = [
      { ...peer('a', ''), start: FIRST, epoch: 1 },
      { ...peer('b', ''), start: FIRST + 8, epoch: 1 },
    ] as const
    const ring = joined(ringOf([], ...tokens), peer('b'))
    expect([ring.tokens, ring.peers]).toEqual([[tokens[0], { ...tokens[1], uid: 'u-b' }], [peer('b')]])
    expect(joined(ring, peer('b'))).toBe(ring)
  })

  test('takes the place of one of its name, whose addresses stay where they are until they are taken over', () => {
    const ring = joined(joined(emptyRing(RANGE), peer('d')), peer('a'))
    const before = { ...ring, tokens: [{ ...peer('d'), start: FIRST, epoch: 3 }] }
    const after = joined(before, peer('d', 'u-d2'))
    expect([after.peers, after.tokens]).toEqual([[peer('a'), peer('d', 'u-d2')], before.tokens])
  })
})

describe('a request', () => {
  test('of one peer is one, the last; denied, it is of no peer until it asks the next', () => {
    const first = requested(emptyRing(RANGE), request('a', 'b'))
    const second = requested(first, request('a', 'c'))
    expect(second.requests).toEqual([request('a', 'c')])
    const none = denied(second, request('a', 'c'))
    expect(none.requests).toEqual([{ ...request('a', ''), denied: ['c'] }])
    expect(
      denied(requested(none, { ...request('a', 'b'), denied: ['c'] }), { ...request('a', 'b'), denied: ['c'] })
        .requests,
    ).toEqual([{ ...request('a', ''), denied: ['c', 'b'] }])
  })

  test('that has gone to another peer meanwhile is not denied by the first', () => {
    const ring = requested(emptyRing(RANGE), request('a', 'c'))
    expect(denied(ring, request('a', 'b'))).toBe(ring)
    expect(denied(emptyRing(RANGE), request('a', 'b')).requests).toEqual([])
  })
})

describe('in the ring', () => {
  test('each peer that owns anything is watched by another, who never watches itself', () => {
    fc.assert(
      fc.property(anyRing, ring => {
        const owners = PEERS.filter(one => rangesOf(ring, one).length > 0)
        const watched = owners.flatMap(one => successors(ring, one))
        for (const one of owners) {
          expect(watched.some(other => isSame(one, other))).toBe(owners.length > 1)
          expect(successors(ring, one).some(other => isSame(one, other))).toBe(false)
        }
      }),
    )
  })

  test('the neighbours of a range are who has the address before it and the one behind it', () => {
    fc.assert(
      fc.property(anyRing, anyPeer, (ring, one) => {
        const owners = ownerOfEach(ring)
        for (const range of rangesOf(ring, one)) {
          const beside = [owners[range.start - 1 - FIRST], owners[range.end - FIRST]]
          expect(neighbours(ring, range)).toEqual(beside.flatMap(each => (each === undefined ? [] : [each.owner])))
        }
      }),
    )
  })
})

function request(name: string, of: string): RingRequest {
  return { ...peer(name), addresses: 4, of, denied: [] }
}
