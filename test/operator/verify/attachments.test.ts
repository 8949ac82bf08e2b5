import { beforeEach, describe, expect, test } from 'vitest'
import { ResultCache } from '#cni/runner/result-cache.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { attachmentFindings, mendAttachment } from '#operator/verify/attachments.ts'
import { PaperNetworks } from '../../cni/plugins/bridge/paper-network.ts'
import { PaperFiles } from '../../cni/runner/paper-files.ts'
import { cidr, ip } from '../../support/objects.ts'

// Results that a runtime has kept, and a node on paper: what of an attachment is gone is found, mended, and found no more.

const NETWORK = { name: 'pods', plugins: [{ type: 'bridge', isDefaultGateway: true }, { type: 'portmap' }] }
const RESULT = {
  cniVersion: '1.0.0',
  interfaces: [
    { name: 'cni0', mac: '02:00:00:00:00:05' },
    { name: 'veth0a', mac: '02:00:00:00:00:06' },
    { name: 'eth0', mac: '02:00:00:00:00:07', sandbox: '/run/netns/web' },
  ],
  ips: [{ address: '10.244.1.7/24', gateway: '10.244.1.1', interface: 2 }],
  routes: [{ dst: '0.0.0.0/0' }, { dst: '192.0.2.0/24', gw: '10.244.1.9' }, { dst: '198.51.100.0/24', table: 100 }],
}
const LEASE: Lease = {
  ...{ network: 'pods', container: 'c0ffee', ifname: 'eth0', address: ip('10.244.1.7'), family: 'ipv4', set: 0 },
  ...{ boot: 'b', state: 'assigned', at: 0, pod: 'shop/web', netns: '/run/netns/web' },
}

let files: PaperFiles
let networks: PaperNetworks
beforeEach(async () => {
  files = new PaperFiles()
  networks = new PaperNetworks()
  const { node, pod } = networks
  node.addresses = async () => [...node.found.values()].flatMap(({ addresses }) => addresses)
  await node.addBridge('cni0', {})
  await node.changeLink('cni0', { state: 'up' })
  await node.addVeth({ name: 'veth0a', state: 'up', master: 'cni0' }, { name: 'eth0' })
  await node.addAddress('cni0', { address: ip('10.244.1.1'), prefixLength: 24 })
  for (const path of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding']) await node.changeSetting(path, '1')
  await pod.changeLink('eth0', { state: 'up' })
  await pod.addAddress('eth0', { address: ip('10.244.1.7'), prefixLength: 24 })
  await pod.addRoute({ destination: cidr('0.0.0.0/0'), gateway: ip('10.244.1.1'), link: 'eth0' })
  await pod.addRoute({ destination: cidr('192.0.2.0/24'), gateway: ip('10.244.1.9'), link: 'eth0' })
})

interface Kept {
  readonly folder?: string
  readonly config?: unknown
  readonly result?: typeof RESULT | object
  readonly container?: string
  readonly netns?: string
}

async function keep({
  folder = '/var/lib/cni',
  config = NETWORK,
  result = RESULT,
  container = 'c0ffee',
  netns = '/run/netns/web',
}: Kept = {}): Promise<void> {
  const text = typeof config === 'string' ? config : JSON.stringify(config)
  const kept = { container, ifname: 'eth0', network: 'pods', netns, args: [], capabilities: {}, config: text }
  await new ResultCache(files, folder).keep(kept, result as never)
}

const look = (leases: readonly Lease[] = [LEASE]) => attachmentFindings({ leases, networks, files })
const units = async (leases?: readonly Lease[]) => (await look(leases)).map(({ difference }) => difference.unit)

describe('what was made is known', () => {
  /** With the interface gone, whatever is known of an attachment is found. */
  const GONE = ['interface eth0 of pod shop/web']
  beforeEach(() => networks.pod.found.clear())

  test.each<[string, Kept, readonly string[]]>([
    ['of a bridge', {}, GONE],
    ['where libcni keeps it now', { folder: '/var/lib/cni/cache' }, GONE],
    ['of our own plugin, which is a bridge unless it says otherwise', { config: { type: 'switchyard' } }, GONE],
    ['of our own plugin as a bridge', { config: { plugins: [{ type: 'switchyard', plugin: 'bridge' }] } }, GONE],
    ['not of another plugin', { config: { type: 'macvlan' } }, []],
    ['not of our own as another plugin', { config: { type: 'switchyard', plugin: 'ptp' } }, []],
    ['not of a configuration that is no JSON', { config: '{' }, []],
    ['not of one that is no object', { config: [7] }, []],
    ['not of plugins that are none', { config: { plugins: [null, 7, 'bridge'] } }, []],
    ['not of a result that says no interfaces', { result: { ...RESULT, interfaces: [] } }, []],
    [
      'not of a result without the end in the pod',
      { result: { ...RESULT, interfaces: RESULT.interfaces.slice(0, 2) } },
      [],
    ],
    ['not of a result that is not understood', { result: { ...RESULT, ips: [{ address: 'x' }] } }, []],
    ['not of a container without a lease', { container: 'dead' }, []],
  ])('%s', async (_, kept, expected) => {
    await keep(kept)
    expect(await units()).toEqual(expected)
  })

  test('of a pod without a name by its container, and in the namespace of its lease', async () => {
    await keep({ netns: '' })
    const { pod: _, ...nameless } = LEASE
    expect(await units([{ ...nameless, container: 'c0ffee' }])).toEqual(['interface eth0 of pod container c0ffee'])
  })
})

test('an attachment that is whole is not spoken of, and no namespace stays open', async () => {
  await keep()
  expect(await units()).toEqual([])
  expect(networks.held).toBe(0)
})

test('a pod whose namespace is gone is a leaked lease, and no attachment', async () => {
  await keep()
  networks.podIsGone = true
  networks.node.found.clear()
  expect(await units()).toEqual([])
})

test('nothing is looked at where no result is kept', async () => {
  networks.open = () => Promise.reject(new Error('was opened'))
  expect(await look()).toEqual([])
  expect(await look([])).toEqual([])
})

test('what is gone is mended in the order in which it is found, and found no more', async () => {
  await keep()
  const { node, pod } = networks
  await node.changeLink('cni0', { state: 'down' })
  await node.changeLink('veth0a', { state: 'down' })
  await node.deleteAddress('cni0', { address: ip('10.244.1.1'), prefixLength: 24 })
  await node.changeSetting('ipv4/ip_forward', '0')
  await pod.changeLink('eth0', { state: 'down' })
  await pod.deleteAddress('eth0', { address: ip('10.244.1.7'), prefixLength: 24 })
  pod.laid.length = 0
  const found = await look()
  expect(found.map(({ difference }) => difference.unit)).toEqual([
    'bridge cni0',
    'address 10.244.1.1/24 of bridge cni0',
    'setting net.ipv4.ip_forward',
    'port veth0a of pod shop/web',
    'interface eth0 of pod shop/web',
    'address 10.244.1.7/24 of pod shop/web',
    'route 0.0.0.0/0 via 10.244.1.1 of pod shop/web',
    'route 192.0.2.0/24 via 10.244.1.9 of pod shop/web',
  ])
  for (const { change } of found) await mendAttachment(change!, networks)
  expect(await units()).toEqual([])
  expect(networks.held).toBe(0)
})

test('a change that the kernel refuses fails, and leaves no namespace open', async () => {
  networks.pod.refusals.addAddress = 'EPERM'
  const address = { address: ip('10.244.1.8'), prefixLength: 24 }
  const change = { in: 'pod', do: 'address', link: 'eth0', netns: '/run/netns/web', address } as const
  await expect(mendAttachment(change, networks)).rejects.toMatchObject({ name: 'NetworkRefused', code: 'EPERM' })
  expect(networks.held).toBe(0)
})
