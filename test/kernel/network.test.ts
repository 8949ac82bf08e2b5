import { isDeepStrictEqual } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addressesOf, LIST_ADDRESSES, LIST_ROUTES, routesOf, serviceAddressesOf } from '#dialects/ip.ts'
import { anyCommand } from '#lab/any-command.ts'
import { addressesAsJson, routesAsJson } from '#system/answers/network.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import { FAMILIES } from '#values/address.ts'
import { cannotRun, type Namespace, newNamespace } from './namespace.ts'

// Addresses and routes over netlink, beside what `ip` says of the same namespace.

const why = cannotRun()

describe.skipIf(why !== undefined)(`addresses and routes over netlink${why ? ` (skipped: ${why})` : ''}`, () => {
  let namespace: Namespace
  let path: string

  beforeEach(async () => {
    namespace = await newNamespace('network')
    path = `/run/netns/${namespace.name}`
  })
  afterEach(() => namespace.end())

  const ip = (...lines: readonly string[]) =>
    must(namespace.kernel, anyCommand(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` }))
  const saysIp = async (command = LIST_ADDRESSES): Promise<string> => (await must(namespace.kernel, command)).stdout

  /** Asked again where they differ: the kernel gives a link that comes up a route and an address of its own, a moment later. */
  const expectTheSame = async (): Promise<void> => {
    for (const family of FAMILIES) {
      const [ours, theirs] = [new Map<string, unknown>(), new Map<string, unknown>()]
      const ask = async (): Promise<boolean> => {
        const [said, routes, found] = [await saysIp(), await saysIp(LIST_ROUTES[family]), addressesAsJson(path)!]
        ours.set('addresses', addressesOf(found, family)).set('of Services', serviceAddressesOf(found, family))
        theirs.set('addresses', addressesOf(said, family)).set('of Services', serviceAddressesOf(said, family))
        ours.set('routes', routesOf(routesAsJson(family, path)!))
        theirs.set('routes', routesOf(routes))
        return isDeepStrictEqual(ours, theirs)
      }
      for (let tries = 0; tries < 20 && !(await ask()); tries++) await systemClock.sleep(100)
      expect(ours).toEqual(theirs)
    }
  }

  test('a namespace with nothing but a loopback device that is down', expectTheSame)

  test('addresses of links that are up or down, of several scopes, of a peer, of ipvs mode', async () => {
    await ip(
      'link add one type veth peer name one-far',
      'link set one up',
      'link set one-far up',
      'link set lo up',
      'link add two type veth peer name two-far',
      'link add kube-ipvs0 type veth peer name far',
      'address add 192.0.2.1/24 dev one',
      'address add 192.0.2.77/32 dev one',
      'address add 198.51.100.1 peer 198.51.100.2 dev one',
      'address add 203.0.113.9/25 dev two',
      'address add 192.0.2.200/24 dev two scope link',
      'address add 10.96.0.1/32 dev kube-ipvs0',
      'address add 2001:db8::1/64 dev one nodad',
      'address add fd00::a:0:0:1/128 dev two nodad',
      'address add fd00:96::1/128 dev kube-ipvs0 nodad',
    )
    await expectTheSame()
    expect(addressesOf(addressesAsJson(path)!, 'ipv6')).toEqual(['2001:db8::1', '::1', 'fd00::a:0:0:1'])
  })

  test('routes to ranges and single addresses, the default one, those that discard, those of other tables', async () => {
    await ip(
      'link add one type veth peer name one-far',
      'link set one up',
      'link set one-far up',
      'link add two type veth peer name two-far',
      'link set two up',
      'link set two-far up',
      'address add 192.0.2.1/24 dev one',
      'address add 2001:db8::1/64 dev one nodad',
      'route add default via 192.0.2.254',
      'route add 10.1.0.0/16 via 192.0.2.254',
      'route add 10.2.0.1/32 dev one',
      'route add 10.3.0.0/16 nexthop via 192.0.2.253 nexthop via 192.0.2.254',
      'route add blackhole 10.4.0.0/16',
      'route add unreachable 10.5.0.0/16',
      'route add 10.6.0.0/16 dev one table 77',
      'route add default via 2001:db8::fe',
      'route add fd00:1::/64 via 2001:db8::fe',
      'route add fd00:2::1/128 dev one',
      'route add fd00:3::/64 nexthop via 2001:db8::fd nexthop via 2001:db8::fe',
      'route add blackhole fd00:4::/64',
      'route add fd00:6::/64 dev one table 77',
    )
    await expectTheSame()
    expect(routesOf(routesAsJson('ipv4', path)!)).toEqual(['10.1.0.0/16', '10.2.0.1/32', '10.3.0.0/16', '192.0.2.0/24'])
  })

  test('more addresses than one answer of the kernel holds', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => `address add 10.9.${i >> 8}.${i & 255}/32 dev kube-ipvs0`)
    await ip('link add kube-ipvs0 type veth peer name far', ...many)
    expect(serviceAddressesOf(addressesAsJson(path)!, 'ipv4')).toHaveLength(3000)
    await expectTheSame()
  })
})
