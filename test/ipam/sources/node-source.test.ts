import { describe, expect, test } from 'vitest'
import { nodeSource } from '#ipam/sources/node-source.ts'
import type { Cidr } from '#values/cidr.ts'
import { PaperMemory } from './paper-memory.ts'

class Stage {
  readonly memory = new PaperMemory()
  podCIDRs: readonly string[] | undefined = []
  readonly source = nodeSource({
    nodeName: 'n1',
    memory: this.memory,
    read: async () => (this.podCIDRs === undefined ? undefined : { podCIDRs: this.podCIDRs as Cidr[] }),
  })

  refresh(...podCIDRs: readonly string[]) {
    this.podCIDRs = podCIDRs
    return this.source.refresh()
  }

  get shown(): readonly string[] {
    return this.source
      .mine()
      .sets.map(set => set.map(({ start, end, gateway }) => `${start}-${end} via ${gateway}`).join())
  }
}

describe('podCIDRs of a Node', () => {
  test('are a set each, from which a pod gets one address, all hosts of it but the gateway', async () => {
    const stage = new Stage()
    expect((await stage.refresh('10.244.1.0/24', 'fd00:244:1::/64')).gained).toEqual([
      { first: '10.244.1.1', last: '10.244.1.254' },
      { first: 'fd00:244:1::1', last: 'fd00:244:1:0:ffff:ffff:ffff:ffff' },
    ])
    expect(stage.shown).toEqual([
      '10.244.1.1-10.244.1.254 via 10.244.1.1',
      'fd00:244:1::1-fd00:244:1:0:ffff:ffff:ffff:ffff via fd00:244:1::1',
    ])
  })

  test('in which no pod has room are none, and it is said of which', async () => {
    const stage = new Stage()
    await stage.refresh('10.244.1.0/31', 'fd00::1/128')
    expect(stage.source.mine()).toMatchObject({
      sets: [],
      why: '10.244.1.0/31 and fd00::1/128 of Node n1 have no room for a pod',
    })
    await stage.refresh('10.244.1.0/30', 'fd00::/127')
    expect([stage.shown, stage.source.mine().why]).toEqual([['10.244.1.1-10.244.1.2 via 10.244.1.1'], ''])
  })

  test('of a Node that was made anew are others: what was taken away and what came are named', async () => {
    const stage = new Stage()
    await stage.refresh('10.244.1.0/24', 'fd00:244:1::/64')
    expect(await stage.refresh('10.244.9.0/24', 'fd00:244:1::/64')).toEqual({
      gained: [{ first: '10.244.9.1', last: '10.244.9.254' }],
      lost: [{ first: '10.244.1.1', last: '10.244.1.254' }],
    })
  })

  test('that are gone with the Node, or not set yet, say why, each in its words', async () => {
    const stage = new Stage()
    await stage.refresh()
    expect(stage.source.mine().why).toContain('Node n1 has no spec.podCIDRs yet')
    await stage.refresh('10.244.1.0/24')
    stage.podCIDRs = undefined
    expect((await stage.source.refresh()).lost).toHaveLength(1)
    expect(stage.source.mine().why).toContain('there is no Node n1')
  })
})

test('what is as it was is not written: pods wait for no disk', async () => {
  const stage = new Stage()
  await stage.refresh('10.244.1.0/24')
  await stage.refresh('10.244.1.0/24')
  expect(stage.memory.saves).toBe(1)
})

test('what another source has left is none of a Node’s', async () => {
  const stage = new Stage()
  await stage.refresh('10.244.1.0/24')
  stage.memory.save({ ...stage.memory.grant!, source: 'ring' })
  expect(stage.source.mine()).toEqual({ sets: [], why: 'Node n1 was not read yet' })
  expect(await stage.refresh('10.244.1.0/24')).toEqual({
    gained: [{ first: '10.244.1.1', last: '10.244.1.254' }],
    lost: [],
  })
})
