import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pagedRound } from '#cni/leaks/round.ts'
import type { DhcpRecord } from '#ipam/leases/dhcp/dhcp-book.ts'
import { SqliteDhcpBook } from '#ipam/leases/dhcp/sqlite-dhcp-book.ts'
import type { LeaseOwner } from '#ipam/leases/lease-book.ts'
import type { Address } from '#values/address.ts'
import { address, SMALL, SMALL6 } from '../../support/leases.ts'
import { PaperNode } from './paper-node.ts'

// A round reads leases in pages: wherever one ends, it finds the same.

let node: PaperNode
beforeEach(() => {
  node = new PaperNode()
})
afterEach(() => node.close())

/** In another network, whose addresses are those of the first; containers may share a namespace. */
const addApart = (container: string, ip: string, more: Partial<LeaseOwner> = {}) =>
  node.add(container, { network: 'other', overlap: 'allow', requested: [address(ip)], ...more })

const granted = (owner: LeaseOwner, ip: Address): DhcpRecord => {
  const until = node.clock.now() + 3_600_000
  return {
    ...{ owner, boot: node.boot, wanted: [], provided: [], state: 'bound', dueAt: until },
    lease: {
      ...{ address: ip, prefixLength: 24, server: ip, serverHardware: '020000000001', routes: [] },
      ...{ grantedAt: node.clock.now(), renewAt: until, rebindAt: until, expiresAt: until },
    },
  }
}

describe.each([1, 2, 500])('with %i leases in a page', atOnce => {
  beforeEach(() => {
    node.atOnce = atOnce
  })

  test('a pod with two addresses is judged once, as a whole', async () => {
    for (const container of ['a', 'b']) {
      const [, six] = await node.add(container, { sets: [SMALL, SMALL6] })
      node.namespaces.get(`/run/netns/${container}`)!.addresses.delete(six!.address)
    }
    await node.minutes(2)
    node.results.clear()
    node.pods.clear()
    const { attachments } = await node.round()
    expect(attachments.map(({ holder, leases, verdict }) => [holder.container, leases.length, verdict.is])).toEqual([
      ['a', 2, 'live'],
      ['b', 2, 'live'],
    ])
  })

  test('two holders in one namespace are in no conflict, and an address of neither is one, once', async () => {
    await node.add('a')
    await addApart('a', '10.9.0.5')
    expect((await node.round()).conflicts).toEqual([])
    node.namespaces.get('/run/netns/a')!.addresses.add(address('10.9.0.6'))
    expect((await node.round()).conflicts).toMatchObject([{ address: '10.9.0.6', container: 'a', isNew: true }])
    const again = (await node.round()).conflicts
    expect(again).toHaveLength(1)
    expect(again[0]!.isNew).toBeUndefined()
  })

  test('a container that uses the namespace of another has its own lease there', async () => {
    await node.add('a')
    const { id } = node.namespaces.get('/run/netns/a')!
    const [lease] = await addApart('z', '10.9.0.5', { netns: '/run/netns/a', namespaceId: id })
    node.namespaces.get('/run/netns/a')!.addresses.add(lease!.address)
    expect((await node.round()).conflicts).toEqual([])
  })

  test('a pod that ends in the middle of a round is in no conflict', async () => {
    await node.add('a')
    await addApart('a', '10.9.0.5')
    let pages = 0
    const { conflicts } = await pagedRound(node.parts, async () => {
      if (pages++ > 0) return
      node.vanish('a')
      for (const network of ['mynet', 'other']) {
        await node.book.release({ network, container: 'a', ifname: 'eth0' }, 'DEL')
      }
    })
    expect(conflicts).toEqual([])
  })

  test('a live namespace is looked at once, and lists are had once', async () => {
    await node.add('a')
    await addApart('a', '10.9.0.5')
    for (const container of ['b', 'c']) {
      await node.add(container)
      node.namespaces.delete(`/run/netns/${container}`)
    }
    await node.minutes(2)
    const opened: string[] = []
    const networks = {
      open: (path: string | undefined) => {
        opened.push(path ?? 'node')
        return node.networks.open(path)
      },
    }
    await pagedRound({ ...node.parts, networks }, async () => {})
    expect(opened).toEqual(['/run/netns/a'])
    // Of two folders.
    const results = ['runtime', 'runtime']
    expect(node.asked.filter(name => name !== 'namespace')).toEqual(results)
    node.asked.length = 0
    node.results.clear()
    await pagedRound(node.parts, async () => {})
    expect(node.asked.filter(name => name !== 'namespace')).toEqual([...results, 'api'])
  })

  test('what a DHCP server granted is judged beside, also where its holder is between two others', async () => {
    const dhcp = SqliteDhcpBook.open(node.path)
    node.dhcp = dhcp
    for (const container of ['a', 'z']) await node.add(container)
    const { id, addresses } = node.namespaces.get('/run/netns/a')!
    const shared = { netns: '/run/netns/a', namespaceId: id }
    const owner = (container: string) => ({ network: 'mynet', container, ifname: 'eth0' })
    await dhcp.put(granted({ ...owner('gone'), netns: '/run/netns/gone', namespaceId: '4:99' }, address('10.9.0.5')))
    await dhcp.put(granted({ ...owner('shared'), ...shared }, address('10.9.0.6')))
    addresses.add(address('10.9.0.6'))
    await node.minutes(2)
    const seen: unknown[] = []
    for (let i = 0; i < 3; i++) {
      const { attachments, conflicts } = await node.round()
      const gone = attachments.filter(({ holder }) => holder.container === 'gone').map(one => one.verdict.is)
      seen.push([...gone, attachments.length, conflicts])
      await node.minutes(1)
    }
    expect(seen).toEqual([
      ['suspect', 4, []],
      ['suspect', 4, []],
      ['leaked', 4, []],
    ])
    dhcp.close()
  })

  test('what is suspected of a holder is forgotten with it', async () => {
    for (const container of ['a', 'b', 'c']) await node.add(container)
    await node.minutes(2)
    for (const container of ['a', 'b', 'c']) node.vanish(container)
    await node.round()
    for (const container of ['b', 'c']) await node.del(container)
    await node.round()
    expect((await node.leaks.suspicions()).map(({ container }) => container)).toEqual(['a'])
  })
})
