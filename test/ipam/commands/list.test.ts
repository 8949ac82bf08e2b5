import { afterEach, beforeEach, expect, test } from 'vitest'
import type { IpamSettings } from '#config/settings.ts'
import { listed } from '#ipam/commands/list.ts'
import { holder, leaseRequest } from '../../support/leases.ts'
import { LeaseNode } from '../answers/node.ts'

let node: LeaseNode
beforeEach(() => {
  node = new LeaseNode()
})
afterEach(() => node.remove())

function list(more: Partial<IpamSettings> = {}) {
  return listed({ database: node.path, output: 'table', all: false, ...more } as IpamSettings, node.clock.now())
}

test('where nothing cools down does not change by itself', async () => {
  await node.book.take(leaseRequest('a'))
  await node.book.release(holder('a'), 'DEL')
  expect(list()).not.toHaveProperty('until')
})

test('changes by itself when the first lease has cooled down, of the network that is asked for', async () => {
  const begun = node.clock.now()
  for (const [container, network, cooldownMs] of [
    ['a', 'mynet', 30_000],
    ['b', 'mynet', 10_000],
    ['c', 'other', 5000],
  ] as const) {
    await node.book.take(leaseRequest(container, { network, cooldownMs, overlap: 'allow' }))
    await node.book.release(holder(container, network), 'DEL')
  }
  expect(list().until).toBe(begun + 5000)
  expect(list({ network: 'mynet' }).until).toBe(begun + 10_000)
})

test('has one network or all, in each form', async () => {
  await node.book.take(leaseRequest('a', { pod: 'shop/a' }))
  await node.book.take(leaseRequest('b', { network: 'other', pod: 'shop/b', overlap: 'allow' }))
  expect(list().text).toMatch(/shop\/a[\s\S]*shop\/b/)
  expect(list({ network: 'other' }).text).not.toContain('shop/a')
  const { networks } = JSON.parse(list({ output: 'json', network: 'other' }).text)
  expect(networks).toMatchObject([{ name: 'other' }])
  expect(() => list({ network: 'none' })).toThrow('those that have: mynet, other')
})
