import { describe, expect, test } from 'vitest'
import type { RingInit } from '#ipam/ring/division.ts'
import type { RingStore } from '#ipam/ring/member.ts'
import type { Ring } from '#ipam/ring/ring.ts'
import { type RingLimits, RingSource } from '#ipam/sources/ring-source.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { addressNumber } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import { address } from '../../support/leases.ts'
import { PaperMemory } from './paper-memory.ts'

// Nodes one call at a time, around a stored ring whose reads can be made to fail.

const RANGE = '10.32.0.0/25' as Cidr

class Stage {
  readonly clock = new PaperClock(1_000_000)
  readonly uids = new Map<string, string>()
  readonly memories = new Map<string, PaperMemory>()
  ring: Ring | undefined
  /** Reads that are answered before one is not. */
  answers = Number.POSITIVE_INFINITY
  #version = 0

  readonly store: RingStore = {
    read: async () => {
      if (this.answers-- <= 0) throw new Error('the API server is away')
      return { ring: this.ring, version: String(this.#version) }
    },
    write: async (ring, { version }) => {
      if (version !== String(this.#version)) return 'conflict'
      this.ring = ring
      return { version: String(++this.#version) }
    },
  }

  /** A process of this node; another one with the same name has the same disk. */
  node(
    nodeName: string,
    more: { readonly init?: RingInit; readonly subnet?: Cidr; readonly limits?: Partial<RingLimits> } = {},
  ) {
    const { init = { mode: 'consensus', peers: 2 }, subnet = RANGE, limits = {} } = more
    if (!this.uids.has(nodeName)) this.uids.set(nodeName, `uid-${nodeName}`)
    const memory = this.memories.get(nodeName) ?? new PaperMemory()
    this.memories.set(nodeName, memory)
    return new RingSource({
      ...{ nodeName, range: RANGE, subnet, memory, store: this.store, clock: this.clock, limits },
      random: () => 0,
      init: async () => init,
      uidOf: async name => this.uids.get(name),
    })
  }

  /** As an operator, or the node beside it, would where the node were gone: all that it had is another's. */
  takeFrom(gone: string, heir: string): void {
    const tokens = this.ring!.tokens.map(token =>
      token.name === gone ? { ...token, name: heir, uid: `uid-${heir}`, epoch: token.epoch + 1 } : token,
    )
    this.ring = { ...this.ring!, tokens, revision: this.ring!.revision + 1 }
    this.#version++
  }

  /** Pods have these addresses of the node. */
  lease(nodeName: string, ...texts: readonly string[]): void {
    for (const text of texts) this.memories.get(nodeName)!.leases.add(Number(addressNumber(address(text))))
  }
}

/** Two nodes, half of the range each. */
async function halves(limits: Partial<RingLimits> = {}) {
  const stage = new Stage()
  const [a, b] = [stage.node('a', { limits }), stage.node('b', { limits })]
  for (const node of [a, b, a]) await node.refresh()
  return { stage, a, b }
}

const shown = (source: RingSource) =>
  source
    .mine()
    .sets.flat()
    .map(({ start, end }) => `${start}-${end}`)
const ALL_OF_A = [{ first: '10.32.0.1', last: '10.32.0.63' }]

describe('what was taken from this node', () => {
  test('is reported once the API server answers again, where it went away just after it was seen', async () => {
    const { stage, a } = await halves()
    stage.takeFrom('a', 'b')
    stage.answers = 1
    await expect(a.refresh()).rejects.toThrow('away')
    stage.answers = Number.POSITIVE_INFINITY
    expect((await a.refresh()).lost).toEqual(ALL_OF_A)
    expect((await a.refresh()).lost).toEqual([])
  })

  test('is reported with the next look where it was seen while the node asked for more', async () => {
    const { stage, a } = await halves()
    stage.takeFrom('a', 'b')
    await a.more(16)
    expect((await a.refresh()).lost).toEqual(ALL_OF_A)
  })

  test('is not what the node gave away itself', async () => {
    const { a, b } = await halves()
    await b.more(16)
    const { lost } = await a.refresh()
    expect([lost, shown(a)]).toEqual([[], ['10.32.0.1-10.32.0.47']])
    expect((await b.refresh()).gained).toEqual([{ first: '10.32.0.48', last: '10.32.0.63' }])
  })
})

describe('a node that runs short', () => {
  const threeNodes = async () => {
    const stage = new Stage()
    const init = { mode: 'consensus', peers: 3 } as const
    const limits = { answerMs: 30_000 }
    const [a, b, c] = ['a', 'b', 'c'].map(name => stage.node(name, { init, limits }))
    for (const node of [a, b, c, a, b]) await node!.refresh()
    await c!.refresh()
    return { stage, a: a! }
  }
  const asked = ({ ring }: Stage) => ring!.requests.filter(({ name }) => name === 'a')

  test('asks one peer, and waits for its answer, also where it asks again', async () => {
    const { stage, a } = await threeNodes()
    expect(await a.more(16)).toBe('asked')
    const [first] = asked(stage)
    const { revision } = stage.ring!
    await stage.clock.advance(29_999)
    await a.more(16)
    expect([asked(stage), stage.ring!.revision]).toEqual([[first], revision])
  })

  test('asks another one where there was no answer for a while, then all of them anew', async () => {
    const { stage, a } = await threeNodes()
    const of: string[] = []
    for (let i = 0; i < 4; i++) {
      await a.more(16)
      of.push(asked(stage)[0]!.of)
      await stage.clock.advance(30_000)
    }
    expect([new Set(of.slice(0, 2)), new Set(of.slice(2))]).toEqual([new Set(['b', 'c']), new Set(['b', 'c'])])
  })

  test('waits as long for a peer that an earlier process had asked', async () => {
    const { stage, a } = await threeNodes()
    await a.more(16)
    const [first] = asked(stage)
    await stage.clock.advance(60_000)
    const next = stage.node('a', { init: { mode: 'consensus', peers: 3 }, limits: { answerMs: 30_000 } })
    await next.refresh()
    for (const ms of [0, 29_999]) {
      await stage.clock.advance(ms)
      await next.more(16)
      expect(asked(stage)).toEqual([first])
    }
    await stage.clock.advance(1)
    await next.more(16)
    expect(asked(stage)[0]!.of).not.toBe(first!.of)
  })

  test('asks nothing before it takes part, nor once its Node is gone', async () => {
    const { stage, a } = await halves()
    expect(await stage.node('z').more(16)).toBe('never')
    stage.uids.delete('a')
    await a.refresh()
    expect([await a.more(16), stage.ring!.requests]).toEqual(['never', []])
  })
})

describe('a range that is not used', () => {
  /** The node has got a block of the other one, which does not touch its own. */
  const grown = async () => {
    const found = await halves({ idleMs: 600_000 })
    await found.a.more(16)
    await found.b.refresh()
    await found.a.refresh()
    return found
  }
  const GIFT = '10.32.0.120'

  test('goes back after a while, the node’s own does not', async () => {
    const { stage, a } = await grown()
    stage.lease('a', '10.32.0.7')
    expect(await a.takeBack()).toEqual([])
    await stage.clock.advance(599_999)
    expect(await a.takeBack()).toEqual([])
    await stage.clock.advance(1)
    expect(await a.takeBack()).toEqual([{ first: '10.32.0.112', last: '10.32.0.126' }])
    expect(shown(a)).toEqual(['10.32.0.1-10.32.0.63'])
    expect((await a.refresh()).lost).toEqual([])
  })

  test('stays where a pod had an address of it in between: the while begins anew', async () => {
    const { stage, a } = await grown()
    await a.takeBack()
    await stage.clock.advance(599_000)
    stage.lease('a', GIFT)
    expect(await a.takeBack()).toEqual([])
    stage.memories.get('a')!.leases.clear()
    await stage.clock.advance(1000)
    expect(await a.takeBack()).toEqual([])
    await stage.clock.advance(600_000)
    expect(await a.takeBack()).toHaveLength(1)
  })

  test('stays where it would soon be asked for again', async () => {
    const { stage, a } = await grown()
    for (let last = 2; last < 60; last++) stage.lease('a', `10.32.0.${last}`)
    await a.takeBack()
    await stage.clock.advance(600_000)
    expect(await a.takeBack()).toEqual([])
  })
})

describe('a node whose Node object is gone', () => {
  test('gives no addresses, says why, and has them again where the same Node is back', async () => {
    const { stage, a } = await halves()
    const before = shown(a)
    stage.uids.delete('a')
    expect(await a.refresh()).toEqual({ gained: [], lost: [] })
    expect(a.mine()).toMatchObject({ sets: [], why: expect.stringContaining('there is no Node a') })
    stage.uids.set('a', 'uid-a')
    expect(await a.refresh()).toEqual({ gained: [], lost: [] })
    expect([shown(a), a.mine().why]).toEqual([before, ''])
  })

  test('has lost what another took meanwhile, also where it is back under a new uid', async () => {
    const { stage, a } = await halves()
    stage.uids.delete('a')
    await a.refresh()
    stage.takeFrom('a', 'b')
    stage.uids.set('a', 'uid-a2')
    expect((await a.refresh()).lost).toEqual(ALL_OF_A)
    expect(a.mine()).toMatchObject({ sets: [], why: expect.stringContaining('has asked b for addresses') })
  })
})

test('pods get addresses of the part of the ring that is theirs alone, and of it the report speaks', async () => {
  const stage = new Stage()
  const init = { mode: 'consensus', peers: 1 } as const
  const node = stage.node('a', { init, subnet: '10.32.0.32/27' as Cidr })
  expect(await node.refresh()).toEqual({ gained: [{ first: '10.32.0.33', last: '10.32.0.62' }], lost: [] })
  expect(shown(node)).toEqual(['10.32.0.33-10.32.0.62'])
  expect(stage.ring!.tokens).toHaveLength(1)
})

test('what the ring was is kept once for each change of it, for commands that ask while the API server is away', async () => {
  const { stage, a } = await halves()
  const memory = stage.memories.get('a')!
  const before = memory.seen
  expect(before?.text).toContain(`"revision":${stage.ring!.revision}`)
  await stage.clock.advance(5000)
  await a.refresh()
  expect(memory.seen).toBe(before)
})

test('how the ring is made is asked until there is an answer, and then no more', async () => {
  const stage = new Stage()
  const answers = [new Error('no Nodes yet'), { mode: 'consensus', peers: 1 } as const]
  const node = new RingSource({
    ...{
      nodeName: 'a',
      range: RANGE,
      subnet: RANGE,
      memory: new PaperMemory(),
      store: stage.store,
      clock: stage.clock,
    },
    random: () => 0,
    uidOf: async () => 'uid-a',
    init: async () => {
      const answer = answers.shift()
      if (answer === undefined || answer instanceof Error) throw answer
      return answer
    },
  })
  await expect(node.refresh()).rejects.toThrow('no Nodes yet')
  await node.refresh()
  await node.refresh()
  expect([answers, shown(node)]).toEqual([[], ['10.32.0.1-10.32.0.126']])
})
