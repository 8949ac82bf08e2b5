import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConflictSearch, type FoundConflict } from '#cni/leaks/conflicts.ts'
import { LeaseRefused } from '#ipam/leases/lease-book.ts'
import { address, heldLeases, leaseRequest, SMALL, SMALL6 } from '../../support/leases.ts'
import { PaperNode } from './paper-node.ts'

let node: PaperNode
beforeEach(() => {
  node = new PaperNode()
})
afterEach(() => node.close())

const byAddress = (a: FoundConflict, b: FoundConflict) => (a.address < b.address ? -1 : 1)

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

  test('is none where the pod has lost it by the second look', async () => {
    await node.add('a')
    const look = async () => new Set([address('10.9.0.6')])
    const search = await ConflictSearch.begin({ ...node.parts, look, boot: node.boot })
    await search.lookAt(await heldLeases(node.leaks))
    expect(await search.end()).toEqual([])
  })

  test('is known by its pod, its interface, and when it was found, also in later rounds', async () => {
    await node.add('a', { uid: 'u1', pod: 'default/web', sets: [SMALL, SMALL6] })
    for (const ip of ['10.9.0.6', 'fd00:9::6']) node.namespaces.get('/run/netns/a')!.addresses.add(address(ip))
    const found = (ip: string) => ({
      ...{ network: 'mynet', container: 'a', ifname: 'eth0', pod: 'default/web', netns: '/run/netns/a' },
      ...{ address: ip, namespaceId: '4:1', boot: node.boot, at: node.clock.now() },
    })
    const both = ['10.9.0.6', 'fd00:9::6'].map(found)
    const first = (await node.round()).conflicts
    expect(first.toSorted(byAddress)).toEqual(both.map(one => ({ ...one, uid: 'u1', isNew: true })))
    await node.minutes(5)
    node.restartDaemon()
    expect((await node.round()).conflicts.toSorted(byAddress)).toEqual(both)
  })

  test('is one for each pod that uses it, and of none whose namespace is another by now', async () => {
    for (const container of ['a', 'b', 'c']) {
      await node.add(container)
      node.namespaces.get(`/run/netns/${container}`)!.addresses.add(address('10.9.0.6'))
    }
    node.namespaces.set('/run/netns/c', { id: '4:77', addresses: new Set([address('10.9.0.6')]) })
    const { conflicts } = await node.round()
    expect(conflicts.map(({ container }) => container).toSorted()).toEqual(['a', 'b'])
  })

  test('is none of what stands in the namespace of an earlier start of the machine, whose path and number may come again', async () => {
    await node.add('a')
    node.restartMachine()
    node.namespaces.set('/run/netns/a', { id: '4:1', addresses: new Set([address('10.9.0.6')]) })
    expect((await node.round()).conflicts).toEqual([])
  })
})
