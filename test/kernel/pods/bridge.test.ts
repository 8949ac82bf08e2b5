import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '#cni/protocol/request.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import type { Pod } from './bridge-pod.ts'
import { ensured } from './bridge-requirements.ts'
import { BridgeStage, DUAL_STACK } from './bridge-stage.ts'

// What `bridge` makes of each option, in the kernel and in its result; beside the plugin that Debian ships.

const why = await ensured()

describe.skipIf(why !== undefined)(`bridge${why ? ` (skipped: ${why})` : ''}`, () => {
  let stage: BridgeStage
  let pod: Pod

  beforeEach(async () => {
    stage = await BridgeStage.open()
    pod = await stage.addPod()
  })
  afterEach(() => stage.end())

  const add = (config: JsonObject, more: object = {}): Promise<CniResult> => stage.call('ADD', pod, { config, ...more })
  const links = async (where: 'node' | 'pod', name: string): Promise<Readonly<Record<string, unknown>>> => {
    const argv = ['ip', '-d', '-j', 'link', 'show', 'dev', name] as const
    return JSON.parse(await (where === 'node' ? stage.run(...argv) : pod.run(...argv)))[0]
  }

  test('the result names the bridge, the port, and the interface with its addresses, gateways and routes', async () => {
    const result = await add({ isGateway: true, ipam: DUAL_STACK })
    const [bridge, port, container] = result.interfaces
    expect(result).toEqual({
      interfaces: [
        { name: 'cni0', mac: (await links('node', 'cni0')).address },
        { name: expect.stringMatching(/^veth[0-9a-f]{8}$/), mac: (await links('node', port!.name)).address },
        { name: 'eth0', mac: (await links('pod', 'eth0')).address, sandbox: pod.path },
      ],
      ips: [
        { address: '10.66.0.2', prefixLength: 24, gateway: '10.66.0.1', interface: 2 },
        { address: 'fd00:66::2', prefixLength: 64, gateway: 'fd00:66::1', interface: 2 },
      ],
      routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
      dns: {},
    })
    expect([bridge!.mac, port!.mac, container!.mac]).toHaveLength(3)
    expect(await stage.run('ip', 'route', 'show', 'dev', 'cni0')).toContain('10.66.0.0/24')
    expect(await pod.run('ip', 'route')).toContain('default via 10.66.0.1 dev eth0')
    expect(await pod.run('ip', '-6', 'route')).toContain('default via fd00:66::1 dev eth0')
  })

  test.each<[string, JsonObject]>([
    ['a gateway in both families', { isGateway: true, ipam: DUAL_STACK }],
    ['default routes', { isDefaultGateway: true, ipam: { ...DUAL_STACK, routes: [] } }],
    ['a network without a gateway', { ipam: { ...DUAL_STACK, routes: [] } }],
    ['masquerade, an MTU, hairpin', { isGateway: true, ipMasq: true, mtu: 1400, hairpinMode: true, ipam: DUAL_STACK }],
    ['no addresses', {}],
    ['DNS of its own', { ipam: DUAL_STACK, dns: { nameservers: ['10.1.1.1'], search: ['a.example'] } }],
  ])('%s: the same result as from Debian’s plugin, and the same state behind it', async (_, config) => {
    const ours = await add(config)
    const oursState = await stateOf(pod)
    await stage.call('DEL', pod, { config, previous: ours })
    const other = await BridgeStage.open()
    try {
      const otherPod = await other.addPod()
      const theirs = (await other.reference('ADD', otherPod, { config }))!
      expect(comparable(ours)).toEqual(comparable(theirs))
      expect(oursState).toEqual(await stateOf(otherPod))
    } finally {
      await other.end()
    }
  })

  test('a route’s MTU and MSS reach the kernel', async () => {
    const routes = [{ dst: '10.99.0.0/16', mtu: 1300, advmss: 1200, priority: 7 }]
    await add({ isGateway: true, ipam: { ...DUAL_STACK, routes } })
    expect(await pod.run('ip', 'route', 'show', '10.99.0.0/16')).toMatch(/metric 7 .*mtu 1300 .*advmss 1200/)
  })

  test.each<[string, JsonObject, string, string]>([
    [
      'the runtime',
      { runtimeConfig: { mac: '0a:00:00:00:00:01' }, args: { cni: { mac: '0a:00:00:00:00:02' } } },
      '1',
      '',
    ],
    ['the operator', { args: { cni: { mac: '0A-00-00-00-00-02' } } }, '2', 'MAC=0a:00:00:00:00:03'],
    ['the environment', {}, '3', 'MAC=0a00.0000.0003'],
  ])('a hardware address of %s', async (_, config, digit, args) => {
    const result = await add({ ...config, ipam: DUAL_STACK }, { args })
    expect([result.interfaces[2]!.mac, (await links('pod', 'eth0')).address]).toEqual(
      Array(2).fill(`0a:00:00:00:00:0${digit}`),
    )
  })

  test('hairpin, isolation, promiscuous mode and the MTU are where they belong', async () => {
    const { interfaces } = await add({ hairpinMode: true, portIsolation: true, mtu: 1400, ipam: DUAL_STACK })
    const port = await links('node', interfaces[1]!.name)
    expect(port).toMatchObject({ mtu: 1400, linkinfo: { info_slave_data: { hairpin: true, isolated: true } } })
    expect(await links('pod', 'eth0')).toMatchObject({ mtu: 1400 })
    await stage.call('ADD', pod, { config: { promiscMode: true }, ifname: 'net1' })
    expect((await links('node', 'cni0')).promiscuity).toBe(1)
  })

  test('an interface that another program sets up stays down', async () => {
    const { interfaces } = await add({ disableContainerInterface: true })
    expect(await links('pod', 'eth0')).toMatchObject({ operstate: 'DOWN' })
    await stage.call('CHECK', pod, { config: { disableContainerInterface: true }, previous: await again(interfaces) })
  })
  const again = async (interfaces: CniResult['interfaces']): Promise<CniResult> => ({
    interfaces,
    ips: [],
    routes: [],
    dns: {},
  })

  test('no router advertisement is heard, neighbours hear of a pod, and duplicates are looked for where wanted', async () => {
    await add({ isGateway: true, enabledad: true, ipam: DUAL_STACK })
    const podSetting = (path: string): Promise<string> => pod.run('cat', `/proc/sys/net/${path}`)
    expect(await stage.run('cat', '/proc/sys/net/ipv6/conf/cni0/accept_ra')).toBe('0\n')
    expect(await podSetting('ipv4/conf/eth0/arp_notify')).toBe('1\n')
    expect(await podSetting('ipv6/conf/eth0/ndisc_notify')).toBe('1\n')
    expect(await podSetting('ipv6/conf/eth0/accept_dad')).toBe('1\n')
    expect(await pod.run('ip', '-6', 'address', 'show', 'dev', 'eth0')).not.toContain('tentative')
  })

  test('pods that start at once do not race for the bridge, nor for its address', async () => {
    const pods = await Promise.all(Array.from({ length: 6 }, () => stage.addPod()))
    const config = { isGateway: true, ipMasq: true, ipam: DUAL_STACK }
    const results = await Promise.all(pods.map(one => stage.call('ADD', one, { config })))
    expect(new Set(results.flatMap(({ ips }) => ips.map(({ address }) => address))).size).toBe(12)
    for (const [i, one] of pods.entries()) await stage.call('CHECK', one, { config, previous: results[i]! })
  })

  test('another address on the bridge is refused, or replaced where that is wanted', async () => {
    await add({ isGateway: true, ipam: DUAL_STACK })
    const config = { isGateway: true, ipam: { type: 'host-local', subnet: '10.77.0.0/24' } }
    const second = await stage.addPod()
    await expect(stage.call('ADD', second, { config })).rejects.toThrow(
      '"cni0" already has an IP address different from 10.77.0.1/24',
    )
    await stage.call('ADD', second, { config: { ...config, forceAddress: true } })
    expect(await stage.run('ip', '-4', 'address', 'show', 'dev', 'cni0')).toMatch(/inet 10\.77\.0\.1\/24/)
    expect(await stage.run('ip', '-4', 'address', 'show', 'dev', 'cni0')).not.toMatch(/10\.66/)
  })

  test('a node and a pod whose interfaces come without IPv6 get it where the network has it', async () => {
    const off = ['sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1'] as const
    await stage.run(...off)
    await pod.run(...off)
    const previous = await add({ isGateway: true, ipam: DUAL_STACK })
    await stage.call('CHECK', pod, { config: { isGateway: true, ipam: DUAL_STACK }, previous })
  })

  test('two IPv4 ranges of one network have their gateways side by side', async () => {
    const ranges = [[{ subnet: '10.66.0.0/24' }], [{ subnet: '10.67.0.0/24' }]]
    await add({ isGateway: true, ipam: { type: 'host-local', ranges } })
    expect(await stage.run('ip', '-4', 'address', 'show', 'dev', 'cni0')).toMatch(/10\.66\.0\.1[\s\S]*10\.67\.0\.1/)
  })

  test.each(['iptables', 'nftables'])(
    'commands do what netlink does, where this process has no FFI: %s',
    async ipMasqBackend => {
      const byCommands = await BridgeStage.open('commands')
      try {
        const config = { isDefaultGateway: true, ipMasq: true, ipMasqBackend, hairpinMode: true, ipam: DUAL_STACK }
        const [other, gone] = [await byCommands.addPod(), await byCommands.addPod()]
        const result = await byCommands.call('ADD', other, { config })
        expect(comparable(result)).toEqual(comparable(await add(config)))
        expect(await stateOf(other)).toEqual(await stateOf(pod))
        await byCommands.call('CHECK', other, { config, previous: result })
        await byCommands.call('DEL', other, { config, previous: result })
        await byCommands.call('ADD', gone, { config })
        await gone.leave()
        await byCommands.call('DEL', gone, { config, without: 'namespace' })
        expect(await other.run('ip', '-o', 'link')).not.toContain('eth0')
        expect([await byCommands.rulesWith('bridge-pod'), await byCommands.leased()]).toEqual([[], []])
      } finally {
        await byCommands.end()
      }
    },
  )

  test('a name that is no bridge is refused, before and after pods are asked for', async () => {
    await stage.run('ip', 'link', 'add', 'cni0', 'type', 'veth', 'peer', 'name', 'other')
    await expect(add({ ipam: DUAL_STACK })).rejects.toThrow('"cni0" already exists but is not a bridge')
    await expect(stage.call('STATUS', pod, { config: { ipam: DUAL_STACK } })).rejects.toMatchObject({ code: 50 })
  })
})

/** Without what is drawn, or the kernel's own choice. */
function comparable({ interfaces, ips, routes, dns }: CniResult): unknown {
  const named = interfaces.map(({ name, sandbox }) => [
    name.replace(/^veth[0-9a-f]{8}$/, 'veth'),
    sandbox !== undefined,
  ])
  return { interfaces: named, ips, routes, dns }
}

/** What the pod has: addresses and routes, without link-local ones. */
async function stateOf(pod: Pod): Promise<readonly string[]> {
  const addresses = await pod.run('ip', '-o', 'address', 'show', 'dev', 'eth0')
  const routes = (await pod.run('ip', 'route')) + (await pod.run('ip', '-6', 'route'))
  return [
    ...addresses.split('\n').map(line => /inet6? (\S+)/.exec(line)?.[1] ?? ''),
    ...routes.split('\n').map(line => line.replace(/proto \w+ |src \S+ |pref \w+/g, '').trim()),
  ]
    .filter(line => line !== '' && !line.startsWith('fe80'))
    .sort()
}
