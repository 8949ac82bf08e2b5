import { describe, expect, test } from 'vitest'
import type { Learned } from '#ipam/ring/journal.ts'
import type { Ring, RingPeer } from '#ipam/ring/ring.ts'
import { PeerWatch } from '#ipam/sources/peer-watch.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { FIRST, peer, ringOf } from '../ring/rings.ts'

const token = (name: string, offset: number, uid = `u-${name}`) => ({
  ...peer(name, uid),
  start: FIRST + offset,
  epoch: 1,
})
/** Behind this node are b, a seed that has not come, and c, which is watched by b. */
const RING = ringOf([], token('self', 0), token('b', 4), token('c', 8), token('self', 10), token('s', 12, ''))

class Watched {
  readonly clock = new PaperClock()
  readonly uids = new Map(['self', 'b', 'c'].map(name => [name, `u-${name}`]))
  readonly asked: string[] = []
  readonly taken: string[] = []
  isAway: 'uidOf' | 'takeOver' | undefined
  readonly #watch: PeerWatch

  constructor(random = 1) {
    this.#watch = new PeerWatch({
      ...{ clock: this.clock, random: () => random, watchMs: 60_000, goneMs: 45_000 },
      uidOf: async name => {
        this.asked.push(name)
        if (this.isAway === 'uidOf') throw new Error('the API server is away')
        return this.uids.get(name)
      },
    })
  }

  /** A look at the ring, so much later. */
  async look(afterMs: number, ring: Ring = RING): Promise<Ring> {
    await this.clock.advance(afterMs)
    return this.#watch.takeOver(ring, { of: peer('self'), does: { takeOver: gone => this.#takeOver(gone) } })
  }

  async #takeOver({ name }: RingPeer): Promise<Learned> {
    if (this.isAway === 'takeOver') throw new Error('the API server is away')
    this.taken.push(name)
    return { ring: ringOf([], token('self', 0)), journal: { ranges: [], fences: [] }, gained: [], lost: [] }
  }
}

describe('the nodes behind this one', () => {
  test('are asked for now and then, and no others; a seed that has not come is not gone', async () => {
    const watched = new Watched()
    expect(await watched.look(0)).toBe(RING)
    await watched.look(59_999)
    expect(watched.asked).toEqual(['b'])
    await watched.look(1)
    expect([watched.asked, watched.taken]).toEqual([['b', 'b'], []])
  })

  test('are asked for by each node at a time of its own', async () => {
    const early = new Watched(0)
    await early.look(0)
    await early.look(30_000)
    expect(early.asked).toEqual(['b', 'b'])
  })

  test.each([
    ['deleted', undefined],
    ['made anew', 'u-b2'],
  ])('that are %s are taken over once they have been gone for a while', async (_, uid) => {
    const watched = new Watched()
    if (uid === undefined) watched.uids.delete('b')
    else watched.uids.set('b', uid)
    await watched.look(0)
    await watched.look(44_999)
    expect(watched.taken).toEqual([])
    const after = await watched.look(1)
    expect([watched.taken, after.tokens.length]).toEqual([['b'], 1])
  })

  test('that are back in time keep what they have, and the while begins anew', async () => {
    const watched = new Watched()
    watched.uids.delete('b')
    await watched.look(0)
    watched.uids.set('b', 'u-b')
    await watched.look(45_000)
    watched.uids.delete('b')
    await watched.look(60_000)
    await watched.look(44_999)
    expect(watched.taken).toEqual([])
    await watched.look(1)
    expect(watched.taken).toEqual(['b'])
  })
})

describe('where the API server goes away', () => {
  test('a node that was gone for long enough is taken over with the next look that can, not after another while', async () => {
    const watched = new Watched()
    watched.uids.delete('b')
    await watched.look(0)
    watched.isAway = 'takeOver'
    await expect(watched.look(45_000)).rejects.toThrow('away')
    watched.isAway = undefined
    await watched.look(1000)
    expect(watched.taken).toEqual(['b'])
  })

  test('nodes that could not be asked for are with the next look, and are not gone for it', async () => {
    const watched = new Watched()
    watched.isAway = 'uidOf'
    await expect(watched.look(0)).rejects.toThrow('away')
    watched.isAway = undefined
    await watched.look(1000)
    expect([watched.asked, watched.taken]).toEqual([['b', 'b'], []])
  })
})
