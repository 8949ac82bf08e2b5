import { describe, expect, test } from 'vitest'
import type { ListedNode } from '#ipam/nodes/adoption.ts'
import { clusterRanges } from '#ipam/nodes/blocks/cluster-ranges.ts'
import type { NodePatch } from '#ipam/nodes/node-round.ts'
import { RangesController } from '#ipam/nodes/ranges-controller.ts'
import type { BlockHolder, BlockRecord } from '#ipam/nodes/record/block-record.ts'
import { RecordUnusable, type StoredRecord } from '#ipam/nodes/record/record-store.ts'
import type { Cidr } from '#values/cidr.ts'

// One controller, one round at a time, beside others that write first, and an API server that refuses.

class Stage {
  readonly nodes = new Map<string, ListedNode>()
  record: BlockRecord | undefined
  /** What another controller writes before each of the first writes of this one. */
  readonly meanwhile: ((record: BlockRecord | undefined) => BlockRecord)[] = []
  readonly written: BlockRecord[] = []
  readonly asked: string[] = []
  readonly pauses: number[] = []
  /** By node: what becomes of its patch. */
  readonly refusals = new Map<string, string | Error>()
  /** Nodes that cannot be asked for. */
  readonly hidden = new Set<string>()
  most = 0
  #version = 0
  #underWay = 0

  add(name: string, ...podCIDRs: readonly string[]): void {
    this.nodes.set(name, { name, uid: `u-${name}`, podCIDRs: podCIDRs as Cidr[], deleting: false })
  }

  /** `fails`: calls of this name do. */
  controller(clusterCidr = '10.244.0.0/16', fails?: 'list' | 'uidOf' | 'write'): RangesController {
    const decoded = clusterRanges({ clusterCidr })
    if (!decoded.ok) throw new Error(decoded.problems.join())
    const orFail = (call: string) => {
      if (call === fails) throw new Error(`${call}: the API server is away`)
    }
    return new RangesController({
      ...{ ranges: decoded.ranges, graceMs: 1000, random: () => 0.5 },
      clock: { now: () => 5000, sleep: async ms => void this.pauses.push(ms) },
      store: {
        read: async () => ({ record: this.record, version: String(this.#version) }),
        write: async (record, before) => {
          orFail('write')
          return this.#write(record, before)
        },
      },
      nodes: {
        list: async () => {
          orFail('list')
          return [...this.nodes.values()]
        },
        uidOf: async name => {
          this.asked.push(name)
          orFail('uidOf')
          if (this.hidden.has(name)) throw new Error(`${name} cannot be asked for`)
          return this.nodes.get(name)?.uid
        },
        setPodCIDRs: patch => this.#set(patch),
      },
    })
  }

  get podCIDRs(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.nodes].map(([name, { podCIDRs }]) => [name, podCIDRs.join()]))
  }

  #write(record: BlockRecord, { version }: StoredRecord): 'stored' | 'conflict' {
    const other = this.meanwhile.shift()
    if (other !== undefined) this.#put(other(this.record))
    if (version !== String(this.#version)) return 'conflict'
    this.#put(record)
    this.written.push(record)
    return 'stored'
  }

  #put(record: BlockRecord): void {
    this.record = record
    this.#version++
  }

  async #set({ name, podCIDRs }: NodePatch): Promise<'set' | { readonly refused: string }> {
    this.most = Math.max(this.most, ++this.#underWay)
    await new Promise<void>(resolve => setImmediate(resolve))
    this.#underWay--
    const refusal = this.refusals.get(name)
    if (refusal instanceof Error) throw refusal
    if (refusal !== undefined) return { refused: refusal }
    this.nodes.set(name, { ...this.nodes.get(name)!, podCIDRs })
    return 'set'
  }
}

const holder = (name: string, ...blocks: readonly string[]): BlockHolder => ({
  name,
  uid: `u-${name}`,
  blocks: blocks as Cidr[],
})
const recordOf = (...holders: readonly BlockHolder[]): BlockRecord => ({ holders, last: [], revision: 1 })
const names = (of: readonly { readonly name: string }[]) => of.map(({ name }) => name)

describe('a round', () => {
  test('of a cluster that has had another controller records what the Nodes have before it gives anything', async () => {
    const stage = new Stage()
    stage.add('new')
    stage.add('old', '10.244.0.0/24')
    const { recordWrites, given, set } = await stage.controller().round()
    expect(stage.written.map(({ holders }) => names(holders))).toEqual([['old'], ['old', 'new']])
    expect([recordWrites, names(given), names(set)]).toEqual([2, ['new'], ['new']])
    expect(stage.podCIDRs).toEqual({ old: '10.244.0.0/24', new: '10.244.1.0/24' })
  })

  test('that finds all as it should be writes nothing', async () => {
    const stage = new Stage()
    stage.add('a')
    await stage.controller().round()
    const { revision } = stage.record!
    expect(await stage.controller().round()).toMatchObject({ recordWrites: 0, conflicts: 0, set: [], given: [] })
    expect([stage.record!.revision, stage.asked]).toEqual([revision, []])
  })

  test('sets what was recorded by one that ended before it could', async () => {
    const stage = new Stage()
    stage.add('a')
    stage.record = recordOf(holder('a', '10.244.7.0/24'))
    expect(await stage.controller().round()).toMatchObject({ recordWrites: 0, set: [{ name: 'a' }] })
    expect(stage.podCIDRs).toEqual({ a: '10.244.7.0/24' })
  })

  test('is decided anew where another controller has written first: its block is not given twice', async () => {
    const stage = new Stage()
    stage.add('a')
    stage.record = recordOf()
    stage.meanwhile.push(() => recordOf(holder('b', '10.244.0.0/24')))
    stage.add('b')
    const { conflicts, set } = await stage.controller().round()
    expect([conflicts, names(set).toSorted()]).toEqual([1, ['a', 'b']])
    expect(stage.podCIDRs).toEqual({ a: '10.244.1.0/24', b: '10.244.0.0/24' })
  })

  test('is given up where others always write first, further and further apart, and no Node is set', async () => {
    const stage = new Stage()
    stage.add('a')
    stage.record = recordOf()
    stage.meanwhile.push(...Array.from({ length: 99 }, () => () => recordOf()))
    await expect(stage.controller().round()).rejects.toThrow('changed by others 30 times in a row')
    expect(stage.pauses.slice(0, 8)).toEqual([25, 50, 100, 200, 400, 800, 1500, 1500])
    expect([stage.pauses.length, stage.podCIDRs]).toEqual([30, { a: '' }])
  })
})

describe('nothing is set in any Node', () => {
  test('where the record is damaged, and it is left as it is', async () => {
    const stage = new Stage()
    stage.add('a')
    stage.record = recordOf(holder('b', '10.244.0.0/24'), holder('c', '10.244.0.0/25'))
    await expect(stage.controller().round()).rejects.toThrow(RecordUnusable)
    expect([stage.written, stage.podCIDRs]).toEqual([[], { a: '' }])
  })

  test.each(['list', 'uidOf', 'write'] as const)('where the API server does not answer: %s', async call => {
    const stage = new Stage()
    stage.add('a')
    stage.record = recordOf(holder('gone', '10.244.0.0/24'))
    await expect(stage.controller('10.244.0.0/16', call).round()).rejects.toThrow(`${call}: the API server is away`)
    expect([stage.written, stage.podCIDRs]).toEqual([[], { a: '' }])
  })
})

test('a Node that cannot be set keeps no other from it; what failed is tried again with the same block', async () => {
  const stage = new Stage()
  for (const name of ['a', 'b', 'c', 'd']) stage.add(name)
  stage.record = recordOf()
  stage.refusals.set('a', 'podCIDRs is immutable').set('b', new Error('no answer'))
  const { set, refused, failed } = await stage.controller().round()
  expect(names(set)).toEqual(['c', 'd'])
  expect([refused, failed].map(([one]) => `${one!.patch.name}: ${one!.why}`)).toEqual([
    'a: podCIDRs is immutable',
    'b: no answer',
  ])
  stage.refusals.clear()
  expect(names((await stage.controller().round()).set)).toEqual(['a', 'b'])
  expect(stage.podCIDRs).toEqual({ a: '10.244.0.0/24', b: '10.244.1.0/24', c: '10.244.2.0/24', d: '10.244.3.0/24' })
})

test('whether nodes that no list has are gone is asked once each in a round', async () => {
  const stage = new Stage()
  stage.record = recordOf(holder('a', '10.244.0.0/24'), holder('b', '10.244.1.0/24'))
  await stage.controller().round()
  expect(stage.asked.toSorted()).toEqual(['a', 'b'])
  expect(stage.record.holders.map(({ goneSince }) => goneSince)).toEqual([5000, 5000])
})

test('of two hundred nodes that come at once, thirty are set at a time', async () => {
  const stage = new Stage()
  for (let i = 0; i < 200; i++) stage.add(`n${i}`)
  const { set } = await stage.controller().round()
  expect([set.length, stage.most, stage.written.length]).toEqual([200, 30, 2])
  expect(new Set(Object.values(stage.podCIDRs)).size).toBe(200)
})

test('a Node that cannot be asked for ends the round: no other is asked for then, and nothing is under way any more', async () => {
  const stage = new Stage()
  const holders = Array.from({ length: 200 }, (_, i): BlockHolder => {
    return { name: `n${i}`, uid: `u${i}`, blocks: [`10.244.${i}.0/24` as Cidr] }
  })
  stage.record = { holders, last: [], revision: 1 }
  stage.hidden.add('n3')
  await expect(stage.controller().round()).rejects.toThrow('n3 cannot be asked for')
  const { length } = stage.asked
  await new Promise(resolve => setImmediate(resolve))
  expect(stage.asked).toHaveLength(length)
  expect(length).toBeLessThan(100)
})
