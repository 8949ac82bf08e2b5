import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RingStore, StoredRing } from '#ipam/ring/member.ts'
import { addressesOf, peersNamed, removePeer } from '#ipam/ring/removal.ts'
import { isSame, type Ring } from '#ipam/ring/ring.ts'
import { ADDRESSES, anyPeer, anyRing, FIRST, ownerOfEach, PEERS, peer, ringOf } from './rings.ts'

const AT_ONCE = { clock: { now: () => 0, sleep: async () => {} }, random: () => 0.5 }

/** Before each of the first writes, another node has written. */
class Busy implements RingStore {
  ring: Ring | undefined
  readonly meanwhile: ((ring: Ring) => Ring)[]
  writes = 0
  #version = 0

  constructor(ring: Ring | undefined, ...meanwhile: readonly ((ring: Ring) => Ring)[]) {
    this.ring = ring
    this.meanwhile = [...meanwhile]
  }

  async read(): Promise<StoredRing> {
    return { ring: this.ring, version: String(this.#version) }
  }

  async write(ring: Ring, before: StoredRing): Promise<{ readonly version: string } | 'conflict'> {
    const other = this.meanwhile.shift()
    if (other !== undefined) this.#put(other(this.ring!))
    if (before.version !== String(this.#version)) return 'conflict'
    this.#put(ring)
    this.writes++
    return { version: String(this.#version) }
  }

  #put(ring: Ring): void {
    this.ring = ring
    this.#version++
  }
}

const anyTwo = fc.uniqueArray(anyPeer, { minLength: 2, maxLength: 2 })

describe('a peer that is removed by hand', () => {
  test('leaves all it had to the heir, and it is said how much that was', async () => {
    await fc.assert(
      fc.asyncProperty(anyRing, anyTwo, async (ring, [gone, heir]) => {
        const store = new Busy(ring)
        const owners = ownerOfEach(ring).map(({ owner }) => owner)
        const had = owners.filter(owner => isSame(owner, gone!)).length
        expect(await removePeer(store, { gone: gone!, heir: heir! }, AT_ONCE)).toBe(had)
        expect(ownerOfEach(store.ring!).map(({ owner }) => owner)).toEqual(
          owners.map(owner => (isSame(owner, gone!) ? heir : owner)),
        )
        // A second time there is nothing to do.
        const { writes } = store
        expect(await removePeer(store, { gone: gone!, heir: heir! }, AT_ONCE)).toBe(0)
        expect(store.writes).toBe(writes)
      }),
    )
  })

  const half = ringOf([], { ...peer('a'), start: FIRST, epoch: 1 }, { ...peer('b'), start: FIRST + 8, epoch: 1 })

  test('while others write: what it has by then, and what they wrote stays', async () => {
    const store = new Busy(
      half,
      ring => ({ ...ring, tokens: [...ring.tokens, { ...peer('c'), start: FIRST + 12, epoch: 2 }], revision: 2 }),
      ring => ({ ...ring, peers: [peer('c')], revision: 3 }),
    )
    expect(await removePeer(store, { gone: peer('b'), heir: peer('a') }, AT_ONCE)).toBe(4)
    expect(store.ring).toMatchObject({ tokens: [{ name: 'a' }, { name: 'c' }], peers: [peer('c')], revision: 4 })
  })

  test('is given up where others always come first, and nothing is changed', async () => {
    const store = new Busy(half, ...Array.from({ length: 99 }, () => (ring: Ring) => ({ ...ring })))
    await expect(removePeer(store, { gone: peer('b'), heir: peer('a') }, AT_ONCE)).rejects.toThrow('30 times in a row')
    expect([store.writes, store.ring!.tokens]).toEqual([0, half.tokens])
  })

  test('has nothing in a cluster without a ring, and nothing is written where it is not known', async () => {
    expect(await removePeer(new Busy(undefined), { gone: peer('b'), heir: peer('a') }, AT_ONCE)).toBe(0)
    const store = new Busy(half)
    expect(await removePeer(store, { gone: peer('z'), heir: peer('a') }, AT_ONCE)).toBe(0)
    expect(store.writes).toBe(0)
  })

  test('is not removed from a ring that is damaged: nothing is written over it', async () => {
    const store = new Busy({ ...half, tokens: half.tokens.toReversed() })
    await expect(removePeer(store, { gone: peer('b'), heir: peer('a') }, AT_ONCE)).rejects.toThrow(
      'the ring is damaged',
    )
    expect(store.writes).toBe(0)
  })
})

test('the addresses of all peers together are all there are', () => {
  fc.assert(
    fc.property(anyRing, ring => {
      const sum = PEERS.reduce((total, one) => total + addressesOf(ring, one), 0)
      expect(sum).toBe(ADDRESSES.length)
    }),
  )
})

test('peers are found by name, also those that were there before, or by uid, and each once', () => {
  const ring = {
    ...ringOf(
      [peer('d', 'u-d2')],
      { ...peer('d'), start: FIRST, epoch: 1 },
      { ...peer('d', 'u-d2'), start: FIRST + 4, epoch: 1 },
    ),
    requests: [{ ...peer('r'), addresses: 1, of: 'd', denied: [] }],
  }
  expect(peersNamed(ring, 'd')).toEqual([peer('d'), peer('d', 'u-d2')])
  expect(peersNamed(ring, 'u-d2')).toEqual([peer('d', 'u-d2')])
  expect(peersNamed(ring, 'r')).toEqual([peer('r')])
  // A seed that is not there yet has no uid, and none is asked for by an empty name.
  expect(peersNamed(ringOf([], { ...peer('s', ''), start: FIRST, epoch: 1 }), '')).toEqual([])
})
