import { describe, expect, test } from 'vitest'
import { hostLocalConfig } from '#cni/plugins/host-local/configuration.ts'
import { requestOf } from '../../requests.ts'
import { DUAL, PaperNode, SMALL } from './node.ts'

describe('an ADD', () => {
  test('gives each container the next address of the range, and its gateway', async () => {
    const node = new PaperNode()
    expect(await node.add('c1')).toBe('10.9.0.2/29')
    expect(await node.add('c2')).toBe('10.9.0.3/29')
    const { said } = await node.ask('ADD', { container: 'c3' })
    expect(said).toEqual({ cniVersion: '1.1.0', ips: [{ address: '10.9.0.4/29', gateway: '10.9.0.1' }] })
  })

  test('gives one address of each set', async () => {
    const node = new PaperNode()
    expect(await node.add('c1', { ipam: DUAL })).toBe('10.9.0.2/29 fd00:9::2/64')
    expect(await node.held('c1')).toEqual(['10.9.0.2', 'fd00:9::2'])
  })

  test('goes round: an address that came back is given after all the others', async () => {
    const node = new PaperNode()
    for (const container of ['c1', 'c2', 'c3']) await node.add(container)
    await node.del('c1')
    expect(await node.add('c4')).toBe('10.9.0.5/29')
    expect(await node.add('c5')).toBe('10.9.0.6/29')
    expect(await node.add('c6')).toBe('10.9.0.2/29')
  })

  test('copies routes, with those of their fields that the version has', async () => {
    const node = new PaperNode()
    const routes = [
      { dst: '0.0.0.0/0' },
      { dst: '10.3.0.0/16', gw: '10.9.0.5', mtu: 1400, advmss: 1300, priority: 5, table: 7, scope: 253 },
    ]
    const ipam = { ...SMALL, routes }
    expect((await node.ask('ADD', { ipam })).said.routes).toEqual(routes)
    // As the reference has it: 0 is none.
    const none = { ...SMALL, routes: [{ dst: '0.0.0.0/0', mtu: 0, priority: 0, table: 0 }] }
    const ask = { container: 'c3', ipam: none }
    expect((await node.ask('ADD', ask)).said.routes).toEqual([{ dst: '0.0.0.0/0', table: 0 }])
    const old = await node.ask('ADD', { container: 'c2', ipam, config: { cniVersion: '0.3.1' } })
    expect(old.said.routes).toEqual([{ dst: '0.0.0.0/0' }, { dst: '10.3.0.0/16', gw: '10.9.0.5' }])
  })

  test('copies the DNS settings of a file', async () => {
    const node = new PaperNode()
    node.files.set('/etc/pods.conf', 'nameserver 10.96.0.10\nsearch svc.cluster.local cluster.local\noptions ndots:5\n')
    const { said } = await node.ask('ADD', { ipam: { ...SMALL, resolvConf: '/etc/pods.conf' } })
    expect(said.dns).toEqual({
      nameservers: ['10.96.0.10'],
      search: ['svc.cluster.local', 'cluster.local'],
      options: ['ndots:5'],
    })
  })

  test('takes nothing where that file is not there', async () => {
    const node = new PaperNode()
    const { said } = await node.ask('ADD', { ipam: { ...SMALL, resolvConf: '/etc/pods.conf' } })
    expect(said).toMatchObject({ code: 5, msg: 'open /etc/pods.conf: no such file or directory' })
    expect(said.details).toContain('ipam.resolvConf')
    expect(await node.held('c1')).toEqual([])
  })

  test('takes ranges of the runtime before those of the configuration', async () => {
    const node = new PaperNode()
    const config = { runtimeConfig: { ipRanges: [[{ subnet: '10.5.0.0/24' }]] } }
    expect(await node.add('c1', { config })).toBe('10.5.0.2/24 10.9.0.2/29')
  })

  test('knows the pod, and keeps it with the lease', async () => {
    const node = new PaperNode()
    node.namespaces.set('/run/netns/c1', '4:77')
    const pod = 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart-0;K8S_POD_UID=u-1;K8S_POD_INFRA_CONTAINER_ID=c1'
    await node.add('c1', { env: { CNI_ARGS: pod } })
    expect(await node.book.held({ network: 'net1', container: 'c1', ifname: 'eth0' })).toMatchObject([
      { pod: 'shop/cart-0', uid: 'u-1', netns: '/run/netns/c1', namespaceId: '4:77', boot: 'boot-1' },
    ])
    await node.add('c2', { env: { CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=web;X=1' } })
    expect(await node.book.held({ network: 'net1', container: 'c2', ifname: 'eth0' })).toMatchObject([{ pod: 'web' }])
  })

  test('keeps no name that would break the lines of a table', async () => {
    const node = new PaperNode()
    await node.add('c1', { env: { CNI_ARGS: 'K8S_POD_NAMESPACE=a b;K8S_POD_NAME=x\ny;K8S_POD_UID=u-1' } })
    const [lease] = await node.book.held({ network: 'net1', container: 'c1', ifname: 'eth0' })
    expect([lease?.pod, lease?.uid]).toEqual([undefined, 'u-1'])
  })

  test('into the namespace of the node is refused before an address is taken', async () => {
    const node = new PaperNode()
    const { said } = await node.ask('ADD', { env: { CNI_NETNS: '/proc/1/ns/net' } })
    expect(said).toMatchObject({ code: 8 })
    expect(await node.held('c1')).toEqual([])
    expect(await node.add('c2')).toBe('10.9.0.2/29')
  })
})

describe('an address that is asked for', () => {
  const ask = { config: { runtimeConfig: { ips: ['10.9.0.5/29'] } } }

  test.each([
    ['CNI_ARGS', { env: { CNI_ARGS: 'IP=10.9.0.5' } }],
    ['args.cni.ips', { config: { args: { cni: { ips: ['10.9.0.5'] } } } }],
    ['runtimeConfig.ips', ask],
  ])('comes by %s', async (_, asked) => {
    const node = new PaperNode()
    expect(await node.add('c1', asked)).toBe('10.9.0.5/29')
    expect(await node.add('c2')).toBe('10.9.0.6/29')
  })

  test('may be of one set, while the other gives its next one', async () => {
    const node = new PaperNode()
    const env = { CNI_ARGS: 'IP=fd00:9::77' }
    expect(await node.add('c1', { ipam: DUAL, env })).toBe('10.9.0.2/29 fd00:9::77/64')
  })

  test('of all three places comes together, one for each set', async () => {
    const node = new PaperNode()
    const config = { args: { cni: { ips: ['fd00:9::9'] } }, runtimeConfig: { ips: ['10.9.0.4'] } }
    expect(await node.add('c1', { ipam: DUAL, config })).toBe('10.9.0.4/29 fd00:9::9/64')
  })

  test.each([
    ['of no range', { env: { CNI_ARGS: 'IP=10.8.0.5' } }, 7, 'failed to allocate all requested IPs: 10.8.0.5'],
    [
      'beside another of the same set',
      { config: { args: { cni: { ips: ['10.9.0.4', '10.9.0.5'] } } } },
      7,
      'failed to allocate all requested IPs: 10.9.0.5',
    ],
    [
      'that is the gateway',
      { env: { CNI_ARGS: 'IP=10.9.0.1' } },
      7,
      "failed to allocate for range 0: requested ip 10.9.0.1 is subnet's gateway",
    ],
    [
      'that is the broadcast address',
      { env: { CNI_ARGS: 'IP=10.9.0.7' }, ipam: { ...SMALL, rangeEnd: '10.9.0.7' } },
      7,
      'failed to allocate for range 0: requested IP address 10.9.0.7 is not available in range set 10.9.0.1-10.9.0.7',
    ],
    [
      'that is none',
      { env: { CNI_ARGS: 'IP=10.9.0' } },
      4,
      'ARGS: error parsing value of pair "IP=10.9.0": invalid IP address 10.9.0',
    ],
    [
      'that is none, in the configuration',
      { config: { runtimeConfig: { ips: ['10.9.0.5', 'x'] } } },
      7,
      'runtimeConfig.ips[1]: "x" is not an IP address such as 10.244.1.7',
    ],
    ['beside words that are not known', { env: { CNI_ARGS: 'IP=10.9.0.5;FOO=1' } }, 4, 'ARGS: unknown args ["FOO=1"]'],
  ])('%s is refused, and nothing is taken', async (_, asked, code, msg) => {
    const node = new PaperNode()
    const { said } = await node.ask('ADD', asked)
    expect(said).toMatchObject({ code, msg })
    expect(await node.held('c1')).toEqual([])
    expect(await node.add('c2')).toBe('10.9.0.2/29')
  })

  test('and is held by another container is refused with who has it', async () => {
    const node = new PaperNode()
    await node.add('c1', { ...ask, env: { CNI_ARGS: 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart-0' } })
    await node.clock.advance(90_000)
    const { said } = await node.ask('ADD', { container: 'c2', ...ask })
    expect(said).toEqual({
      cniVersion: '1.1.0',
      code: 100,
      msg: 'failed to allocate for range 0: requested IP address 10.9.0.5 is not available in range set 10.9.0.1-10.9.0.6',
      details:
        '10.9.0.5 is leased in network net1: 10.9.0.5 by shop/cart-0 (container c1 eth0) for 1m30s; look with: switchyard ipam ls --network net1',
    })
  })

  test('in another set than its own does not take from both: all or none', async () => {
    const node = new PaperNode()
    await node.add('c1', { ipam: DUAL, env: { CNI_ARGS: 'IP=fd00:9::9' } })
    expect(await node.add('c2', { ipam: DUAL, env: { CNI_ARGS: 'IP=fd00:9::9' } })).toContain('is not available')
    expect(await node.held('c2')).toEqual([])
  })
})

describe('a configuration', () => {
  test.each<[object | undefined, string, string]>([
    [undefined, "IPAM config missing 'ipam' key", 'ipam: write {"type": "host-local", "subnet": "10.244.1.0/24"}'],
    [{ subnet: undefined }, 'no IP ranges specified', 'ipam.ranges: write "subnet": "10.244.1.0/24", or ranges'],
    [
      { subnet: '10.9.0.1/24' },
      'invalid range set 0: Network has host bits set. For a subnet mask of length 24 the network address is 10.9.0.0',
      'ipam.subnet: "10.9.0.1/24": write "10.9.0.0/24"',
    ],
    [
      { subnet: '10.9.0.0/24', rangeStart: 'x', rangeEnd: 'y' },
      'invalid IP address: x',
      'ipam.rangeStart: "x": write an IPv4 address without a prefix; ipam.rangeEnd: "y": write an IPv4 address without a prefix',
    ],
  ])('%j is refused with what would be right', async (ipam, msg, details) => {
    const node = new PaperNode()
    const { said } = await node.ask('ADD', {
      ipam: ipam && { type: 'host-local', ...ipam },
      ...(ipam ? {} : { config: { ipam: undefined } }),
    })
    expect(said).toMatchObject({ code: 7, msg, details })
  })

  test.each<[object, string]>([
    [{ routes: [{ dst: '0.0.0.0' }] }, 'ipam.routes[0].dst: "0.0.0.0" is not an address range such as 10.22.0.0/16'],
    [{ routes: [{ gw: '10.9.0.1' }] }, 'ipam.routes[0].dst is missing: an address range such as 0.0.0.0/0 is wanted'],
    [
      { routes: [{ dst: '0.0.0.0/0', mtu: '1400' }] },
      'ipam.routes[0].mtu: "1400" is not a whole number from 0 to 4294967295',
    ],
    [{ cooldown: 60 }, 'ipam.cooldown: 60 is not a text in quotes'],
    [{ cooldown: '60' }, 'ipam.cooldown: "60" is not a duration from 0s to 24h, such as 30s'],
    [{ cooldown: '-1s' }, 'ipam.cooldown: "-1s" is not a duration from 0s to 24h, such as 30s'],
    [{ onDuplicate: 'Reuse' }, 'ipam.onDuplicate: "Reuse" is not "error" or "reuse"'],
    [{ overlap: true }, 'ipam.overlap: true is not "refuse" or "allow"'],
    [{ resolvConf: 5 }, 'ipam.resolvConf: 5 is not a text in quotes'],
  ])('with %j is refused with field, value and what would be right', async (more, msg) => {
    const node = new PaperNode()
    expect((await node.ask('ADD', { ipam: { ...SMALL, ...more } })).said).toMatchObject({ code: 7, msg })
  })

  test.each(['0.1.0', '0.2.0'])('of version %s has one address of each family at most', async cniVersion => {
    const node = new PaperNode()
    const ipam = { type: 'host-local', ranges: [[{ subnet: '10.9.0.0/29' }], [{ subnet: '10.8.0.0/29' }]] }
    const { said } = await node.ask('ADD', { ipam, config: { cniVersion } })
    expect(said).toMatchObject({
      code: 7,
      msg: `CNI version ${cniVersion} does not support more than 1 address per family`,
    })
    const dual = await node.ask('ADD', { ipam: DUAL, config: { cniVersion } })
    expect(dual.said).toMatchObject({ ip4: { ip: '10.9.0.2/29' }, ip6: { ip: 'fd00:9::2/64' } })
  })

  test('may name a dataDir, as the reference plugin has one: leases are in the database all the same', async () => {
    const node = new PaperNode()
    expect(await node.add('c1', { ipam: { ...SMALL, dataDir: '/run/cni' } })).toBe('10.9.0.2/29')
    expect(await node.add('c2', { ipam: { ...SMALL, dataDir: '/tmp/cni' } })).toBe('10.9.0.3/29')
  })

  test('says how long an address rests, 30 seconds where it does not', () => {
    const cooldown = (more: object) =>
      hostLocalConfig(requestOf({ config: { ipam: { subnet: '10.9.0.0/24', ...more } } })).cooldownMs
    expect([cooldown({}), cooldown({ cooldown: '2m' }), cooldown({ cooldown: '0s' })]).toEqual([30_000, 120_000, 0])
  })
})
