import { describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import type { Settings } from '#config/settings.ts'
import type { Node } from '#kubernetes/objects.ts'
import { needsOf } from '#proxy/agent/fit-mode.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { type HostNetwork, healthCheckAddresses, nodeReader } from '#proxy/node/node-view.ts'
import type { NodeFacts } from '#proxy/sync/draft.ts'
import type { Family } from '#values/address.ts'
import { cidr, ip, node } from '../../support/objects.ts'

const HOST: HostNetwork = {
  addresses: { ipv4: ['10.99.0.2', '10.99.0.22', '127.0.0.1'].map(ip), ipv6: ['::1', 'fd00:99::2'].map(ip) },
  liberalConntrack: false,
} as HostNetwork
const NODE = node('here', {
  addresses: [ip('10.99.0.2'), ip('fd00:99::2')],
  zone: 'a',
  podCIDRs: [cidr('10.244.1.0/24'), cidr('fd00:244:1::/64')],
})

async function settingsOf(flags: readonly string[]): Promise<Settings> {
  const parsed = await parseArguments('run', flags, () => Promise.reject())
  if (!parsed.ok) throw new Error(parsed.problems.join())
  return parsed.settings
}

async function factsOf(
  flags: readonly string[],
  more: { family?: Family; host?: HostNetwork; node?: Node; endpoints?: number } = {},
): Promise<NodeFacts> {
  const settings = await settingsOf(flags)
  const { family = 'ipv4', host = HOST, endpoints = 0 } = more
  const cluster = new Cluster()
  cluster.apply({ type: 'put', object: more.node ?? NODE })
  return nodeReader({ settings, family, nodeName: 'here', hostNetwork: () => host })(
    cluster,
    endpoints,
    needsOf(settings),
  )
}

describe('local pods', () => {
  test.each([
    [['--cluster-cidr=10.244.0.0/16,fd00:244::/32'], { by: 'cidr', cidr: '10.244.0.0/16' }],
    [['--detect-local-mode=NodeCIDR'], { by: 'cidr', cidr: '10.244.1.0/24' }],
    [['--detect-local-mode=BridgeInterface', '--pod-bridge-interface=cni0'], { by: 'interface', name: 'cni0' }],
    [
      ['--detect-local-mode=InterfaceNamePrefix', '--pod-interface-name-prefix=veth'],
      { by: 'interface-prefix', prefix: 'veth' },
    ],
    [[], undefined],
  ])('%j', async (flags, localPods) => {
    const { view, thisNode } = await factsOf(flags)
    expect(view.localPods).toEqual(localPods)
    expect(thisNode.masquerade).toBe(localPods === undefined ? 'never' : 'from-outside')
  })

  test('are recognised by the range of their own family', async () => {
    const { view } = await factsOf(['--cluster-cidr=10.244.0.0/16,fd00:244::/32'], { family: 'ipv6' })
    expect(view.localPods).toEqual({ by: 'cidr', cidr: 'fd00:244::/32' })
  })

  test('do not matter where all clients are masqueraded', async () => {
    expect((await factsOf(['--masquerade-all'])).thisNode.masquerade).toBe('all')
  })
})

describe('node ports', () => {
  const ports = async (flags: readonly string[], family: Family = 'ipv4', one: Node = NODE): Promise<unknown> =>
    (await factsOf(flags, { family, node: one })).view.nodePortAddresses

  test('are on all addresses where nothing is said', async () => expect(await ports([])).toBe('all'))
  test('are on the addresses within the ranges', async () =>
    expect(await ports(['--nodeport-addresses=10.99.0.16/28'])).toEqual(['10.99.0.22']))
  test('are on all addresses of a family whose ranges no setting names', async () =>
    expect(await ports(['--nodeport-addresses=10.99.0.16/28'], 'ipv6')).toBe('all'))
  test('are on all addresses where a range holds everything', async () =>
    expect(await ports(['--nodeport-addresses=0.0.0.0/0,10.0.0.0/8'])).toBe('all'))
  test('primary is the address of the Node', async () =>
    expect(await ports(['--nodeport-addresses=primary'])).toEqual(['10.99.0.2']))
  test('primary in a family the Node has no address of is none, not all', async () =>
    expect(
      await ports(['--nodeport-addresses=primary'], 'ipv6', node('here', { addresses: [ip('10.99.0.2')] })),
    ).toEqual([]))
  test('never are on IPv6 loopback', async () =>
    expect(await ports(['--nodeport-addresses=::/1,8000::/1'], 'ipv6')).toEqual(['fd00:99::2']))
})

describe('healthCheckNodePorts', () => {
  const addresses = async (flags: readonly string[], family: Family = 'ipv4'): Promise<unknown> =>
    healthCheckAddresses(await settingsOf(flags), await factsOf(flags, { family }))

  test.each([
    [[], 'all', 'all'],
    [['--nodeport-addresses=0.0.0.0/0,10.0.0.0/8,::/0'], 'all', 'all'],
    [['--nodeport-addresses=10.99.0.16/28'], ['10.99.0.22'], 'all'],
    [['--nodeport-addresses=primary'], ['10.99.0.2'], ['fd00:99::2']],
    [['--nodeport-addresses=127.0.0.0/8,::1/128'], ['127.0.0.1'], ['::1']],
    [['--nodeport-addresses=10.99.0.0/28,127.0.0.1/32'], ['10.99.0.2', '127.0.0.1'], 'all'],
    [['--nodeport-addresses=::/1,8000::/1'], 'all', ['::1', 'fd00:99::2']],
  ])('with %j answer on %j and %j, loopback among them where it is named', async (flags, ipv4, ipv6) => {
    for (const mode of ['iptables', 'nftables', 'ipvs', 'userspace']) {
      const all = [`--proxy-mode=${mode}`, '--iptables-localhost-nodeports=false', ...flags]
      if (mode === 'nftables' && flags.length === 0) continue
      expect([mode, await addresses(all), await addresses(all, 'ipv6')]).toEqual([mode, ipv4, ipv6])
    }
  })

  test('do not bring node ports to loopback', async () => {
    const { view } = await factsOf(['--proxy-mode=nftables', '--nodeport-addresses=127.0.0.0/8,10.99.0.0/28'])
    expect(view.nodePortAddresses).toEqual(['10.99.0.2'])
  })
})

test.each([
  [[], true],
  [['--iptables-localhost-nodeports=false'], false],
  [['--nodeport-addresses=10.99.0.0/24'], false],
  [['--nodeport-addresses=127.0.0.0/8'], true],
  [['--nodeport-addresses=primary'], false],
  [['--proxy-mode=nftables'], undefined],
])('node ports on localhost with %j: %s', async (flags, wanted) => {
  expect((await factsOf(flags)).view.localhostNodePorts).toBe(wanted)
  const ofIPv6 = (await factsOf(flags, { family: 'ipv6' })).view.localhostNodePorts
  expect(ofIPv6).toBe(wanted === undefined ? undefined : false)
})

test('--bind-address names the address of the node, where it names one', async () => {
  expect((await factsOf([])).view.nodeIP).toBe('10.99.0.2')
  expect((await factsOf(['--bind-address=10.99.0.22'])).view.nodeIP).toBe('10.99.0.22')
})

test('INVALID packets are not dropped where connection tracking is set to be liberal', async () => {
  expect((await factsOf([])).view.dropInvalid).toBe(true)
  expect((await factsOf([], { host: { ...HOST, liberalConntrack: true } })).view.dropInvalid).toBe(false)
})

test.each(['nftables', 'ipvs', 'userspace'])(
  'what only iptables mode needs is no fact of a node in %s mode',
  async mode => {
    const of = async (liberalConntrack: boolean, endpoints: number) =>
      (await factsOf([`--proxy-mode=${mode}`], { host: { ...HOST, liberalConntrack }, endpoints })).view
    const view = await of(false, 0)
    for (const key of ['localhostNodePorts', 'dropInvalid', 'endpointComments']) expect(view).not.toHaveProperty(key)
    expect(await of(true, 5000)).toEqual(view)
  },
)

test('a large cluster is written with fewer comments', async () => {
  expect((await factsOf([], { endpoints: 1000 })).view.endpointComments).toBe(true)
  expect((await factsOf([], { endpoints: 1001 })).view.endpointComments).toBe(false)
})
