import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConflictSearch } from '#cni/leaks/conflicts.ts'
import { LeaseRefused } from '#ipam/leases/lease-book.ts'
import { address, heldLeases, leaseRequest } from '../../support/leases.ts'
import { PaperNode } from './paper-node.ts'

let node: PaperNode
beforeEach(() => {
  node = new PaperNode()
})
afterEach(() => node.close())

describe('a pod whose runtime never sends a DEL', () => {
  test('is leaked in the third round, also where each is of another daemon', async () => {
    await node.add('a')
    await node.add('b')
    await node.minutes(2)
    node.vanish('a')
    const seen: unknown[] = []
    for (let i = 0; i < 3; i++) {
      seen.push(await node.verdicts())
      node.restartDaemon()
      await node.minutes(1)
    }
    expect(seen).toEqual([
      { a: 'suspect', b: 'live' },
      { a: 'suspect', b: 'live' },
      { a: 'leaked', b: 'live' },
    ])
  })

  test('is not leaked while any witness names it, and not while one fails', async () => {
    await node.add('a')
    await node.minutes(2)
    node.vanish('a')
    node.pods.add('default/a')
    expect(await node.verdicts()).toEqual({ a: 'live' })
    node.vanish('a')
    node.failing.add('api')
    for (let i = 0; i < 5; i++) {
      expect(await node.verdicts()).toEqual({ a: 'unknown' })
      await node.minutes(1)
    }
    node.failing.clear()
    expect(await node.verdicts()).toEqual({ a: 'suspect' })
  })

  test('whose namespace lives on without its path is in use', async () => {
    await node.add('a')
    await node.minutes(2)
    node.vanish('a')
    node.ports.add('a')
    expect(await node.verdicts()).toEqual({ a: 'live' })
    node.ports.clear()
    expect(await node.verdicts()).toEqual({ a: 'suspect' })
  })

  test('that comes back in between begins a new row', async () => {
    await node.add('a')
    await node.minutes(2)
    node.results.clear()
    node.pods.clear()
    const namespace = node.namespaces.get('/run/netns/a')!
    node.namespaces.clear()
    await node.round()
    await node.minutes(1)
    await node.round()
    node.namespaces.set('/run/netns/a', namespace)
    await node.minutes(1)
    expect(await node.verdicts()).toEqual({ a: 'live' })
    expect(await node.leaks.suspicions()).toEqual([])
    node.namespaces.clear()
    await node.minutes(1)
    expect(await node.verdicts()).toEqual({ a: 'suspect' })
  })

  test('of an earlier start of the machine is leaked at once', async () => {
    await node.add('a')
    await node.minutes(2)
    node.restartMachine()
    node.pods.clear()
    expect(await node.verdicts()).toEqual({ a: 'leaked' })
  })

  test('whose container has an address anew begins a new row', async () => {
    await node.add('a')
    await node.minutes(2)
    node.vanish('a')
    await node.round()
    await node.minutes(1)
    await node.round()
    await node.book.release({ network: 'mynet', container: 'a', ifname: 'eth0' }, 'DEL')
    await node.add('a')
    node.vanish('a')
    await node.minutes(1)
    expect(await node.verdicts()).toEqual({ a: 'suspect' })
  })
})

test('on a node where all is well, neither the runtime nor the API server is asked, and nothing is written', async () => {
  await node.add('a')
  await node.minutes(2)
  node.failing.add('api')
  node.failing.add('runtime')
  const round = await node.round()
  expect([round.failed, round.attachments[0]!.verdict.is]).toEqual([[], 'live'])
})

describe('an address that a pod uses without a lease', () => {
  test('is found, given to no other, and free again once the pod is gone', async () => {
    const [lease] = await node.add('a')
    await node.minutes(2)
    await node.book.release({ network: 'mynet', container: 'a', ifname: 'eth0' }, 'released by mistake')
    const { conflicts } = await node.round()
    expect(conflicts).toMatchObject([{ address: lease!.address, container: 'a', ifname: 'eth0', isNew: true }])
    await node.minutes(1)
    node.restartDaemon()
    // Four are left of five.
    for (const container of ['b', 'c', 'd', 'e']) {
      const [other] = await node.add(container)
      expect(other!.address).not.toBe(lease!.address)
    }
    await expect(node.add('f')).rejects.toMatchObject({
      refusal: { kind: 'full', usage: { assigned: 4, elsewhere: 1 } },
    })
    const asked = leaseRequest('g', { requested: [lease!.address] })
    await expect(node.book.take(asked)).rejects.toMatchObject({ refusal: { kind: 'taken', lease: { container: 'a' } } })
    await expect(node.book.take(asked)).rejects.toThrow(LeaseRefused)
    expect((await node.round()).conflicts).toMatchObject([{ address: lease!.address }])
    expect((await node.round()).conflicts[0]!.isNew).toBeUndefined()
    node.vanish('a')
    expect((await node.round()).conflicts).toEqual([])
    expect((await node.add('f'))[0]!.address).toBe(lease!.address)
  })

  test('and that is leased to another is named with it', async () => {
    const [lease] = await node.add('a')
    await node.add('b')
    node.namespaces.get('/run/netns/b')!.addresses.add(lease!.address)
    const { conflicts } = await node.round()
    expect(conflicts).toMatchObject([{ container: 'b', leasedTo: { container: 'a' } }])
  })

  test('stays a conflict while its namespace cannot be looked at', async () => {
    await node.add('a')
    await node.add('b')
    node.namespaces.get('/run/netns/b')!.addresses.add(address('10.9.0.6'))
    await node.round()
    node.failing.add('namespace')
    expect((await node.round()).conflicts).toMatchObject([{ container: 'b', address: '10.9.0.6' }])
  })

  test('is none outside of our ranges', async () => {
    await node.add('a')
    node.namespaces.get('/run/netns/a')!.addresses.add(address('192.0.2.1'))
    expect((await node.round()).conflicts).toEqual([])
  })

  test('is none where the lease was given after the leases were listed', async () => {
    await node.add('a')
    const [first] = await heldLeases(node.leaks)
    const stale = { ...first!, address: address('10.9.0.6') }
    const look = async () => new Set([first!.address])
    const search = await ConflictSearch.begin({ ...node.parts, look, boot: node.boot })
    await search.lookAt([stale])
    expect(await search.end()).toEqual([])
  })
})
