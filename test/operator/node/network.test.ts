import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { attachmentsOf, leasesHere, nodeNetwork } from '#operator/node/network.ts'
import { NetworkRefused } from '#system/network/network.ts'
import { PaperNetworks } from '../../cni/plugins/bridge/paper-network.ts'
import { holder, leaseRequest } from '../../support/leases.ts'
import { cidr, ip } from '../../support/objects.ts'

// What a question about a packet is answered from, of this node: its network, its leases, and the namespaces of its pods.

let networks: PaperNetworks
beforeEach(() => {
  networks = new PaperNetworks()
  networks.node.addresses = async () => []
})

describe('the network of the node', () => {
  test('is read, and closed again', async () => {
    await networks.node.addBridge('cni0', {})
    expect(await nodeNetwork(networks)).toMatchObject({ links: [{ name: 'cni0', kind: 'bridge' }], tunnels: [] })
    expect(networks.held).toBe(0)
  })

  test('is not known without the rights for it, or where a part of it cannot be read', async () => {
    networks.node.routes = async () => Promise.reject(new NetworkRefused('EPERM', 'cannot list routes'))
    expect(await nodeNetwork(networks)).toBeUndefined()
    expect(networks.held).toBe(0)
    networks.open = async () => Promise.reject(new NetworkRefused('EPERM', 'no'))
    expect(await nodeNetwork(networks)).toBeUndefined()
  })
})

describe('leases', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'node-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('are those of pods that have their addresses now', async () => {
    const [path, clock] = [join(folder, 'ipam.db'), new PaperClock(1_000_000)]
    const book = SqliteLeaseBook.open({ path, clock, boot: 'b' })
    await book.take(leaseRequest('a'))
    await book.take(leaseRequest('b', { network: 'other', cooldownMs: 60_000, overlap: 'allow' }))
    await book.release(holder('b', 'other'), 'DEL')
    book.close()
    expect(leasesHere(path, clock.now())?.map(({ container }) => container)).toEqual(['a'])
  })

  test('are not known where there is no database, or none that can be read', () => {
    expect(leasesHere(join(folder, 'absent.db'), 0)).toBeUndefined()
    writeFileSync(join(folder, 'damaged.db'), 'no database')
    expect(leasesHere(join(folder, 'damaged.db'), 0)).toBeUndefined()
  })
})

describe('an attachment', () => {
  const LEASE: Lease = {
    ...{ network: 'pods', container: '0123456789abcdef', ifname: 'eth0', address: ip('10.244.1.7'), family: 'ipv4' },
    ...{ set: 0, boot: 'b', state: 'assigned', at: 0, netns: '/run/netns/a' },
  }
  const look = (lease: Partial<Lease> = {}, address = '10.244.1.7') =>
    attachmentsOf([ip(address)], [{ ...LEASE, ...lease }], networks)

  test('is that of the addresses that are asked about', async () => {
    expect(await look({}, '10.244.1.8')).toEqual([])
    expect(await look({ pod: 'shop/web' })).toMatchObject([{ pod: 'shop/web', address: '10.244.1.7' }])
  })

  test('has what stands in its namespace', async () => {
    const { pod } = networks
    pod.put('eth0', { kind: 'veth', isUp: true })
    await pod.addAddress('eth0', { address: ip('10.244.1.7'), prefixLength: 24 })
    await pod.addRoute({ destination: cidr('0.0.0.0/0'), gateway: ip('10.244.1.1'), link: 'eth0' })
    expect(await look()).toMatchObject([
      {
        pod: 'container 0123456789abc',
        inside: {
          link: { name: 'eth0' },
          addresses: [{ address: '10.244.1.7' }],
          routes: { ipv4: [{ link: 'eth0' }] },
        },
      },
    ])
    expect(networks.held).toBe(0)
  })

  test('without its interface has none, and is looked into all the same', async () => {
    const [found] = await look()
    expect(found).toMatchObject({ netns: '/run/netns/a', inside: { link: undefined, addresses: [] } })
  })

  test('whose namespace is gone, or not known, has nothing inside', async () => {
    networks.podIsGone = true
    expect((await look())[0]).not.toHaveProperty('inside')
    const [unknown] = await look({ netns: '' })
    expect(unknown).not.toHaveProperty('netns')
  })
})
