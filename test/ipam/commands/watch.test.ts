import { rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { IpamSettings } from '#config/settings.ts'
import { listed } from '#ipam/commands/list.ts'
import { type WatchParts, watchLeases } from '#ipam/commands/watch.ts'
import { LeaseChanges } from '#ipam/leases/lease-changes.ts'
import { holder, leaseRequest } from '../../support/leases.ts'
import { LeaseNode } from '../answers/node.ts'

let node: LeaseNode
let changes: LeaseChanges
let stop: AbortController
beforeEach(() => {
  node = new LeaseNode()
  changes = new LeaseChanges(node.path)
  stop = new AbortController()
})
afterEach(() => {
  changes.close()
  node.remove()
})

function settings(output: IpamSettings['output']): IpamSettings {
  return { database: node.path, output, all: false } as IpamSettings
}

function watch(options: Partial<WatchParts> = {}) {
  const printed: string[] = []
  const ended = watchLeases({
    list: now => listed(settings('table'), now),
    hasChanged: () => changes.hasChanged(),
    shownOn: 'pipe',
    print: text => printed.push(text) > 0,
    clock: node.clock,
    signal: stop.signal,
    ...options,
  })
  return { printed, ended }
}

describe('ipam ls --watch', () => {
  test('prints again when a lease comes, goes, and has cooled down; and nothing between', async () => {
    await node.book.take(leaseRequest('a', { pod: 'shop/a', cooldownMs: 10_000 }))
    const { printed, ended } = watch()
    await node.clock.advance(5000)
    expect(printed).toEqual([expect.stringMatching(/^# mynet \(10.9.0.0\/29\): 1 assigned/)])
    await node.book.release(holder('a'), 'DEL')
    await node.clock.advance(1000)
    expect(printed).toHaveLength(2)
    expect(printed[1]).toMatch(/^\n2026-11-29T07:00:05Z\n# mynet .* 0 assigned, 1 cooling down/)
    await node.clock.advance(20_000)
    expect(printed).toHaveLength(3)
    expect(printed[2]).toMatch(/0 cooling down/)
    stop.abort()
    await ended
  })

  test('clears a terminal before each list', async () => {
    const { printed, ended } = watch({ shownOn: 'terminal' })
    await node.clock.advance(300)
    await node.book.take(leaseRequest('a'))
    await node.clock.advance(300)
    expect(printed.map(text => text.startsWith('\u001b[H\u001b[2J'))).toEqual([true, true])
    stop.abort()
    await ended
  })

  test('gives a program one document after the other, and nothing else', async () => {
    const { printed, ended } = watch({ shownOn: 'program', list: now => listed(settings('json'), now) })
    await node.clock.advance(300)
    await node.book.take(leaseRequest('a'))
    await node.clock.advance(300)
    expect(printed.map(text => JSON.parse(text).networks.length)).toEqual([0, 1])
    stop.abort()
    await ended
  })

  test('ends where the reader is gone', async () => {
    const { ended } = watch({ print: () => false })
    await ended
  })

  test('goes on with the database that is put back where a folder was emptied', async () => {
    await node.book.take(leaseRequest('a'))
    const { printed, ended } = watch()
    await node.clock.advance(300)
    for (const ending of ['', '-wal', '-shm']) rmSync(`${node.path}${ending}`)
    await node.book.take(leaseRequest('b'))
    await node.clock.advance(300)
    await node.book.take(leaseRequest('c'))
    await node.clock.advance(300)
    expect(printed.map(text => /(\d) assigned/.exec(text)?.[1])).toEqual(['1', '2', '3'])
    stop.abort()
    await ended
  })
})

test('what was written since it was asked last is a change, once, whichever process wrote', async () => {
  expect([changes.hasChanged(), changes.hasChanged()]).toEqual([true, false])
  await node.book.take(leaseRequest('a'))
  expect([changes.hasChanged(), changes.hasChanged()]).toEqual([true, false])
})
