import { beforeEach, describe, expect, test } from 'vitest'
import { bridgeConfiguration } from '#cni/plugins/bridge/configuration.ts'
import { ensureBridge, makePair, portVlans, setPort } from '#cni/plugins/bridge/links/link.ts'
import { NetworkRefused } from '#system/network/network.ts'
import { OVERLAY_LINK } from '#values/overlay-link.ts'
import { requestOf } from '../../../requests.ts'
import { PaperNetworks } from '../paper-network.ts'

let networks: PaperNetworks
beforeEach(() => {
  networks = new PaperNetworks()
})

const options = (config: object = {}) => bridgeConfiguration(requestOf({ config }))
const pair = (config: object = {}) =>
  makePair({ ...networks, namespace: '/run/netns/c1', ifname: 'eth0', options: options(config) })
const HOLDER = { network: 'net1', container: 'c1', ifname: 'eth0' }
const calls = (method: string) => networks.calls.filter(call => call.startsWith(`node ${method}`))

describe('a bridge', () => {
  test('is made, keeps its hardware address, and is up', async () => {
    const { node } = networks
    await ensureBridge(node, options({ mtu: 1400, vlan: 5, promiscMode: true }))
    expect(await node.link('cni0')).toMatchObject({
      ...{ kind: 'bridge', mtu: 1400, isUp: true, isPromiscuous: true, isVlanFiltering: true },
    })
    expect(calls('changeLink')).toHaveLength(1)
    expect(node.settings.get('ipv6/conf/cni0/accept_ra')).toBe('0')
  })

  test('has an address of its own from its first moment: a pod that comes beside has no other in its result', async () => {
    const { node } = networks
    const asked: unknown[] = []
    const add = node.addBridge.bind(node)
    node.addBridge = (name, made) => {
      asked.push(made.mac)
      return add(name, made)
    }
    const { mac } = await ensureBridge(node, options())
    expect(asked).toEqual([mac])
    expect(mac).toMatch(/^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/)
  })

  test('that is there is changed only where it must be', async () => {
    const { node } = networks
    await ensureBridge(node, options())
    const before = calls('changeLink').length
    await ensureBridge(node, options())
    expect(calls('changeLink')).toHaveLength(before)
    await ensureBridge(node, options({ vlanTrunk: [{ id: 3 }], promiscMode: true }))
    expect(await node.link('cni0')).toMatchObject({ isVlanFiltering: true, isPromiscuous: true })
    node.put('cni0', { ...node.found.get('cni0'), isUp: false })
    await ensureBridge(node, options())
    expect(await node.link('cni0')).toMatchObject({ isUp: true })
  })

  test('that another pod makes at the same moment is found there', async () => {
    const { node } = networks
    node.put('cni0', { kind: 'bridge', mac: '0a:00:00:00:00:07' })
    const first = node.link.bind(node)
    let looks = 0
    node.link = async name => (looks++ === 0 ? undefined : first(name))
    expect(await ensureBridge(node, options())).toMatchObject({ mac: '0a:00:00:00:00:07' })
  })

  test('that is deleted as it is made is an error, and so is one that is no bridge', async () => {
    const { node } = networks
    node.addBridge = async () => {}
    await expect(ensureBridge(node, options())).rejects.toThrow('could not lookup "cni0": it was deleted meanwhile')
    node.put('cni0', { kind: 'dummy' })
    await expect(ensureBridge(node, options())).rejects.toThrow('"cni0" already exists but is not a bridge')
  })

  test('with VLANs on a kernel without them says what the kernel lacks', async () => {
    networks.node.refusals.addBridge = 'ENOTSUP'
    await expect(ensureBridge(networks.node, options({ vlan: 5 }))).rejects.toMatchObject({
      code: 2,
      message: expect.stringContaining('VLAN filtering'),
    })
  })
})

describe('a pair', () => {
  beforeEach(() => ensureBridge(networks.node, options()))

  test('has one end in the pod with what was asked for, and one that is up in the bridge', async () => {
    const port = await pair({ mtu: 1400, args: { cni: { mac: '0a:58:00:00:00:01' } } })
    const [{ node, pod }, bridge] = [networks, networks.node.found.get('cni0')]
    expect(node.found.get(port)).toMatchObject({ master: bridge?.index, isUp: true, mtu: 1400 })
    expect(pod.found.get('eth0')).toMatchObject({ mac: '0a:58:00:00:00:01', mtu: 1400, isUp: false })
  })

  test('has room for what goes through the overlay, where there is one and nothing else is said', async () => {
    networks.node.put(OVERLAY_LINK, { kind: 'vxlan', mtu: 1450 })
    await pair()
    expect(networks.pod.found.get('eth0')?.mtu).toBe(1450)
    await networks.pod.deleteLink('eth0')
    await pair({ mtu: 1300 })
    expect(networks.pod.found.get('eth0')?.mtu).toBe(1300)
  })

  test('draws another name where the port’s is taken', async () => {
    networks.node.refusals.addVeth = 'EEXIST'
    await pair()
    const drawn = calls('addVeth')
    expect([drawn.length, new Set(drawn).size]).toEqual([2, 2])
    expect(drawn[0]).toMatch(/^node addVeth veth[0-9a-f]{8}$/)
  })

  test('gives up after ten names, and deletes none of those that others have', async () => {
    const before = calls('deleteLink').length
    let tries = 0
    networks.node.addVeth = async () => {
      tries += 1
      throw new NetworkRefused('EEXIST', 'it exists')
    }
    await expect(pair()).rejects.toThrow(/failed to make veth pair .* it exists/)
    expect([tries, calls('deleteLink').length - before]).toEqual([10, 0])
  })

  test('whose name in the pod is taken is not tried again', async () => {
    networks.pod.put('eth0', { kind: 'veth' })
    await expect(pair()).rejects.toThrow('container veth name provided (eth0) already exists')
    expect(calls('addVeth')).toHaveLength(1)
  })

  test('of a program that was ended half way goes', async () => {
    networks.node.refusals.addVeth = 'EINTR'
    await expect(pair()).rejects.toThrow('in bridge "cni0" and "eth0" in /run/netns/c1: cannot do it (EINTR)')
    expect(calls('deleteLink')).toHaveLength(1)
  })
})

describe('a port', () => {
  const ported = async (config: object) => {
    await ensureBridge(networks.node, options(config))
    const port = await pair(config)
    await setPort(networks.node, { port, holder: HOLDER }, options(config))
    return port
  }
  const vlansOf = (port: string) =>
    networks.node.memberships
      .get(port)
      ?.map(({ id, isPvid, isUntagged }) => `${id}${isPvid ? ' pvid' : ''}${isUntagged ? ' untagged' : ''}`)

  test('says whose it is, and is left as the kernel makes it otherwise', async () => {
    const port = await ported({})
    expect(networks.node.found.get(port)?.alias).toContain('net: net1, if: eth0, id: c1')
    expect([calls('changeBridgePort'), vlansOf(port)]).toEqual([[], ['1 pvid untagged']])
  })

  test.each([
    [{ hairpinMode: true }, { hasHairpin: true, isIsolated: false }],
    [{ portIsolation: true }, { hasHairpin: false, isIsolated: true }],
  ])('with %j', async (config, state) => {
    expect(networks.node.ports.get(await ported(config))).toMatchObject(state)
  })

  test.each([
    [{ vlan: 5 }, ['1 untagged', '5 pvid untagged']],
    [{ vlan: 5, preserveDefaultVlan: false }, ['5 pvid untagged']],
    [{ vlan: 5, preserveDefaultVlan: false, vlanTrunk: [{ minID: 4, maxID: 6 }] }, ['5 pvid untagged', '4', '6']],
    [{ vlanTrunk: [{ id: 9 }] }, ['1 pvid untagged', '9']],
  ])('with %j is in %j', async (config, vlans) => {
    expect(vlansOf(await ported(config))).toEqual(vlans)
  })

  test('that cannot be set says which part', async () => {
    networks.node.refusals.changeBridgePort = 'EPERM'
    await expect(ported({ hairpinMode: true })).rejects.toThrow(
      /failed to set up port "veth\w+" \(hairpinMode, portIsol/,
    )
  })
})

test.each([
  [{ vlan: 0, trunk: [] }, []],
  [{ vlan: 5, trunk: [] }, ['5 untagged']],
  [{ vlan: 5, trunk: [5, 6] }, ['5 untagged', '6']],
  [{ vlan: 0, trunk: [5, 6] }, ['1 untagged', '5', '6']],
  [{ vlan: 0, trunk: [1, 6] }, ['1 untagged', '6']],
])('a port of %o is in the VLANs %o', (choice, vlans) => {
  const shown = portVlans(choice).map(({ id, isPvid, isUntagged }) => `${id}${isPvid && isUntagged ? ' untagged' : ''}`)
  expect(shown).toEqual(vlans)
})
