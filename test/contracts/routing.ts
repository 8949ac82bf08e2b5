import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AddressWithPrefix, NamespaceNetwork, NetworkRoute } from '#system/network/network.ts'
import type { Family } from '#values/address.ts'
import { cidr, ip } from '../support/objects.ts'
import { codeOf } from './network/ground.ts'

// What routes to other nodes rely on of the network of a node, real and on paper.

export interface RoutingUnderTest {
  readonly network: NamespaceNetwork
  /** A link that is up, with addresses. */
  plug(name: string, ...addresses: readonly AddressWithPrefix[]): Promise<void>
  end(): Promise<void>
}

const FAMILIES = [
  {
    family: 'ipv4',
    node: '10.99.0.2',
    bits: 24,
    net: '10.99.0.0/24',
    peer: '10.99.0.3',
    third: '10.99.0.4',
    far: '192.0.2.1',
    pods: '10.244.2.0/24',
    own: '10.244.1.1',
    host: 32,
    unreachable: 'ENETUNREACH',
  },
  {
    family: 'ipv6',
    node: 'fd00:99::2',
    bits: 64,
    net: 'fd00:99::/64',
    peer: 'fd00:99::3',
    third: 'fd00:99::4',
    far: '2001:db8::1',
    pods: 'fd00:244:2::/64',
    own: 'fd00:244:1::1',
    host: 128,
    unreachable: 'EHOSTUNREACH',
  },
] as const

export function routingContract(open: () => Promise<RoutingUnderTest>): void {
  describe.each(FAMILIES)('the network of a node: the contract, $family', words => {
    let subject: RoutingUnderTest
    let network: NamespaceNetwork
    const { family } = words
    const address = { address: ip(words.node), prefixLength: words.bits, withoutDad: true } as const
    const toPods: NetworkRoute = { destination: cidr(words.pods), gateway: ip(words.peer), link: 'eth0', protocol: 80 }
    const listed = async (destination: string) =>
      (await routesOf(network, family)).filter(one => one.startsWith(`${destination} `))
    beforeEach(async () => {
      subject = await open()
      network = subject.network
      await subject.plug('eth0', address)
    })
    afterEach(() => subject.end())

    test('an address brings the route to its network, and takes it away', async () => {
      expect(await listed(words.net)).toEqual([`${words.net} dev eth0 proto 2`])
      expect(await network.deleteAddress('eth0', address)).toBe(true)
      expect(await listed(words.net)).toEqual([])
      expect(await network.deleteAddress('eth0', address)).toBe(false)
    })

    test('an address without a network brings none', async () => {
      const own = { address: ip(words.own), prefixLength: words.host, withoutDad: true } as const
      const before = await routesOf(network, family)
      await network.addAddress('eth0', own)
      expect((await routesOf(network, family)).filter(one => !one.includes(words.own))).toEqual(before)
      expect((await network.addresses()).map(one => one.address)).toContain(words.own)
    })

    test('an address is not added again, nor to a link that is not there', async () => {
      expect(await codeOf(network.addAddress('eth0', address))).toBe('EEXIST')
      expect(await codeOf(network.addAddress('eth9', address))).toBe('ENODEV')
    })

    test('a route leads to a gateway on the link, and is listed as it was made', async () => {
      await network.addRoute(toPods)
      expect(await listed(words.pods)).toEqual([`${words.pods} via ${words.peer} dev eth0 proto 80`])
    })

    test('without a link it has that of its gateway', async () => {
      const { link: _, ...route } = toPods
      await network.addRoute(route)
      expect(await listed(words.pods)).toEqual([`${words.pods} via ${words.peer} dev eth0 proto 80`])
    })

    test('a gateway elsewhere is refused, and taken where the link is said to reach it', async () => {
      const far = { ...toPods, gateway: ip(words.far) }
      expect(await codeOf(network.addRoute(far))).toBe(words.unreachable)
      await network.addRoute({ ...far, isOnLink: true })
      expect(await listed(words.pods)).toEqual([`${words.pods} via ${words.far} dev eth0 proto 80 onlink`])
    })

    test('a route is not added again; one by another gateway is a second one', async () => {
      await network.addRoute(toPods)
      expect(await codeOf(network.addRoute(toPods))).toBe('EEXIST')
      await network.addRoute({ ...toPods, gateway: ip(words.third) })
      expect((await listed(words.pods)).length).toBe(2)
    })

    test('a route is deleted by what is named of it', async () => {
      await network.addRoute(toPods)
      const { destination } = toPods
      expect(await network.deleteRoute({ destination, gateway: ip(words.third) })).toBe(false)
      expect(await network.deleteRoute({ destination, protocol: 3 })).toBe(false)
      expect(await network.deleteRoute({ destination, protocol: 80 })).toBe(true)
      expect(await listed(words.pods)).toEqual([])
    })

    test('a link that is down, or not there, takes no route', async () => {
      await subject.plug('eth1')
      await network.changeLink('eth1', { state: 'down' })
      const { destination, gateway } = toPods
      expect(await codeOf(network.addRoute({ destination, link: 'eth1' }))).toBe('ENETDOWN')
      expect(await codeOf(network.addRoute({ ...toPods, link: 'eth1', isOnLink: true }))).toBe('ENETDOWN')
      expect(await codeOf(network.addRoute({ destination, gateway: gateway!, link: 'eth1' }))).toBe(words.unreachable)
      expect(await codeOf(network.addRoute({ ...toPods, link: 'eth9' }))).toBe('ENODEV')
    })

    test('routes go with their link: where it goes down, and where it is deleted', async () => {
      await network.addRoute(toPods)
      await network.changeLink('eth0', { state: 'down' })
      expect(await listed(words.pods)).toEqual([])
      await subject.plug('eth1', { ...address, address: ip(words.third) })
      await network.addRoute({ ...toPods, link: 'eth1' })
      expect(await network.deleteLink('eth1')).toBe(true)
      expect(await listed(words.pods)).toEqual([])
      expect(await network.link('eth1')).toBeUndefined()
      expect(await network.deleteLink('eth1')).toBe(false)
    })
  })
}

/** One a line, sorted, as `ip route` has them. */
async function routesOf(network: NamespaceNetwork, family: Family): Promise<readonly string[]> {
  return (await network.routes(family))
    .map(({ destination, gateway, link, protocol, isOnLink }) =>
      [destination, gateway && `via ${gateway}`, `dev ${link}`, `proto ${protocol}`, isOnLink && 'onlink']
        .filter(Boolean)
        .join(' '),
    )
    .sort()
}
