import { beforeEach, describe, expect, test } from 'vitest'
import type { CniResult } from '#cni/protocol/result.ts'
import { parseAddress } from '#values/address.ts'
import { parseCidr } from '#values/cidr.ts'
import { BridgeStage, DUAL, GATEWAY } from './bridge-stage.ts'

const WHOLE = {
  ...{ isDefaultGateway: true, hairpinMode: true, portIsolation: true, vlan: 5, vlanTrunk: [{ id: 9 }] },
  ...{ ipMasq: true, ipMasqBackend: 'iptables', ipam: { type: 'host-local' } },
}

let stage: BridgeStage
beforeEach(() => {
  stage = new BridgeStage()
})

describe('CHECK right after an ADD finds nothing', () => {
  test.each<[string, object]>([
    ['with everything', WHOLE],
    ['of a gateway', GATEWAY],
    ['without addresses', {}],
    ['whose interface another program sets up', { disableContainerInterface: true }],
    ['in promiscuous mode', { ...GATEWAY, promiscMode: true }],
  ])('%s', async (_, config) => {
    await stage.check(config, await stage.add(config))
    expect(stage.networks.held).toBe(0)
  })
})

interface Harm {
  readonly what: string
  readonly harm: (stage: BridgeStage, result: CniResult) => void
  readonly says: string | RegExp
}

const HARMS: readonly Harm[] = [
  { what: 'no bridge', harm: ({ networks }) => networks.node.forget('cni0'), says: 'bridge cni0 in host namespace' },
  {
    what: 'something else of that name',
    harm: ({ networks: { node } }) => node.put('cni0', { ...node.found.get('cni0'), kind: 'dummy' }),
    says: 'Interface cni0 does not have link type of bridge: it is dummy',
  },
  { what: 'a bridge that is down', harm: down('node', 'cni0'), says: 'Bridge interface cni0 is down' },
  {
    what: 'a bridge with another hardware address',
    harm: ({ networks: { node } }) => node.put('cni0', { ...node.found.get('cni0'), mac: '0a:00:00:00:00:99' }),
    says: /Bridge interface cni0 Mac [0-9a-f:]{17} doesn't match its current one: 0a:00:00:00:00:99/,
  },
  {
    what: 'no interface in the pod',
    harm: ({ networks }) => networks.pod.forget('eth0'),
    says: 'Interface name eth0 not found in the container',
  },
  {
    what: 'an interface of another kind',
    harm: ({ networks: { pod } }) => pod.put('eth0', { ...pod.found.get('eth0'), kind: '' }),
    says: 'Container interface eth0 not of type veth: it is hardware',
  },
  { what: 'an interface that is down', harm: down('pod', 'eth0'), says: 'Container interface eth0 is down' },
  {
    what: 'a port that leads elsewhere',
    harm: ({ networks: { pod } }) => pod.put('eth0', { ...pod.found.get('eth0'), peer: 4711 }),
    says: 'CNI veth created for bridge cni0 was not found',
  },
  {
    what: 'a port of another bridge',
    harm: stage => changePort(stage, { master: 4711 }),
    says: /CNI veth veth\w+ is no port of bridge cni0/,
  },
  {
    what: 'a port that is down',
    harm: stage => changePort(stage, { isUp: false }),
    says: /CNI veth veth\w+, a port of bridge cni0, is down/,
  },
  {
    what: 'a port without hairpin',
    harm: stage => void stage.networks.node.ports.set(stage.port, port({ hasHairpin: false })),
    says: 'hairpin is off',
  },
  {
    what: 'a port that is not isolated',
    harm: stage => void stage.networks.node.ports.set(stage.port, port({ isIsolated: false })),
    says: 'port isolation is off',
  },
  {
    what: 'a port that forwards nothing',
    harm: stage => void stage.networks.node.ports.set(stage.port, port({ state: 'disabled' })),
    says: 'is in state disabled',
  },
  {
    what: 'a port outside its VLAN',
    harm: stage => void stage.networks.node.memberships.set(stage.port, [vlan(1, true), vlan(9, false)]),
    says: 'is not in VLAN 5 without tag',
  },
  {
    what: 'a port outside its trunk',
    harm: stage => void stage.networks.node.memberships.set(stage.port, [vlan(5, true)]),
    says: /is not in VLAN 9$/,
  },
  { what: 'an address lost', harm: without('pod', 'eth0', 'fd00:1::5'), says: 'match addr fd00:1::5/64 on interface' },
  {
    what: 'a route lost',
    harm: ({ networks: { pod } }) => void pod.laid.splice(1, 1),
    says: 'Expected Route ::/0 via fd00:1::1 not found in routing table',
  },
  {
    what: 'a gateway lost',
    harm: without('node', 'cni0.5', '10.1.0.1'),
    says: 'gateway address 10.1.0.1/16 is not on "cni0.5"',
  },
  {
    what: 'forwarding off',
    harm: ({ networks }) => void networks.node.settings.set('ipv6/conf/all/forwarding', '0'),
    says: 'forwarding of ipv6 is off on the node',
  },
  {
    what: 'rules flushed',
    harm: ({ kernel }) => kernel.flush(),
    says: 'masquerade (ipMasq) of 10.1.0.5, fd00:1::5 is missing',
  },
]

describe('CHECK says what differs', () => {
  test.each(HARMS.map(one => [one.what, one] as const))('%s', async (_, { harm, says }) => {
    const result = await stage.add(WHOLE)
    harm(stage, result)
    await expect(stage.check(WHOLE, result)).rejects.toThrow(says)
    expect(stage.networks.held).toBe(0)
  })

  test('what IPAM says comes first', async () => {
    const result = await stage.add(WHOLE)
    stage.ipam.failures.set('CHECK', new Error('no such lease'))
    await expect(stage.check(WHOLE, result)).rejects.toThrow('no such lease')
  })

  test('a result that is not of this attachment, or none', async () => {
    await stage.add(WHOLE)
    await expect(stage.check(WHOLE)).rejects.toThrow('Required prevResult missing')
    await expect(stage.check(WHOLE, DUAL)).rejects.toThrow(
      'prevResult has no interface "eth0" in sandbox /run/netns/c1',
    )
  })
})

describe('CHECK does not ask for more than was made', () => {
  test('of what a later plugin of the chain added on an interface of its own', async () => {
    const result = await stage.add({ ...WHOLE, vlan: 0, vlanTrunk: undefined })
    const tunnel = { name: 'wg0', mac: '', sandbox: '/run/netns/c1' }
    const more: CniResult = {
      ...result,
      interfaces: [...result.interfaces, tunnel],
      ips: [
        ...result.ips,
        { address: parseAddress('10.99.0.2')!, prefixLength: 24, gateway: parseAddress('10.99.0.1')!, interface: 3 },
      ],
      routes: [...result.routes, { dst: parseCidr('10.98.0.0/16')!, gw: parseAddress('10.99.0.1')! }],
    }
    const route = { destination: parseCidr('10.98.0.0/16')!, gateway: parseAddress('10.99.0.1')!, link: 'wg0' }
    stage.networks.pod.laid.push(route)
    await stage.check({ ...WHOLE, vlan: 0, vlanTrunk: undefined }, more)
  })

  test('of an interface of the node that has the same name', async () => {
    const result = await stage.add(GATEWAY)
    const uplink = { name: 'eth0', mac: '0a:00:00:00:00:77' }
    const ip = { address: parseAddress('192.0.2.9')!, prefixLength: 24, interface: 3 }
    await stage.check(GATEWAY, { ...result, interfaces: [...result.interfaces, uplink], ips: [...result.ips, ip] })
  })

  test('hairpin and more that a later plugin turned on', async () => {
    const result = await stage.add(GATEWAY)
    stage.networks.node.ports.set(stage.port, port({}))
    stage.networks.pod.laid.push({ destination: parseCidr('10.50.0.0/16')!, link: 'eth0' })
    await stage.check(GATEWAY, result)
  })
})

function port(more: object) {
  return { state: 'forwarding', hasHairpin: true, isIsolated: true, ...more }
}

function vlan(id: number, isNative: boolean) {
  return { id, isUntagged: isNative, isPvid: isNative }
}

function down(where: 'node' | 'pod', name: string) {
  return ({ networks }: BridgeStage) => networks[where].put(name, { ...networks[where].found.get(name), isUp: false })
}

function changePort({ networks, port }: BridgeStage, more: object): void {
  networks.node.put(port, { ...networks.node.found.get(port), ...more })
}

function without(where: 'node' | 'pod', name: string, gone: string) {
  return ({ networks }: BridgeStage) => {
    const link = networks[where].found.get(name)!
    networks[where].put(name, { ...link, addresses: link.addresses.filter(({ address }) => address !== gone) })
  }
}
