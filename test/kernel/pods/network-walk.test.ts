import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commandNetworks } from '#cni/network/networks.ts'
import { netlinkNetworks } from '#system/network/netlink-networks.ts'
import { type NamespaceNetwork, NetworkRefused } from '#system/network/network.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { type Address, FAMILIES, parseAddress } from '#values/address.ts'
import { type Cidr, parseCidr } from '#values/cidr.ts'
import { pathOf } from '../../contracts/network/ground.ts'
import { cannotRun, newNamespace } from '../namespace.ts'

// Random changes, each made over netlink or by commands: whichever makes one, it ends the same way in a second namespace where
// the other one makes it, and both see the same of both.

const why = cannotRun('bridge', 'nsenter')
const STEPS = 40

type Change = (network: NamespaceNetwork) => Promise<unknown>

const link = fc.constantFrom('br0', 'br1', 'a1', 'a2', 'b1', 'b2', 'lo', 'none')
const state = fc.constantFrom('up' as const, 'down' as const)
const toggle = fc.constantFrom('on' as const, 'off' as const)
const given = fc.constantFrom(
  ...['10.9.0.1/24', '10.9.0.2/24', '10.9.1.1/31', '127.0.0.2/8', 'fd00:9::1/64', 'fd00:9::2/128'].map(text => {
    const [address, length] = text.split('/')
    return { address: parseAddress(address) as Address, prefixLength: Number(length), withoutDad: true as const }
  }),
)
const route = fc.record(
  {
    destination: fc.constantFrom(...['0.0.0.0/0', '192.0.2.0/24', '192.0.2.1/32'].map(text => parseCidr(text) as Cidr)),
    link,
    gateway: fc.constantFrom(...['10.9.0.7', '10.9.0.8', '203.0.113.1'].map(text => parseAddress(text) as Address)),
    mtu: fc.constantFrom(1300, 1400),
    advmss: fc.constant(1200),
    priority: fc.constantFrom(5, 6),
    table: fc.constantFrom(254, 1000),
    scope: fc.constantFrom(0, 253),
    source: fc.constant(parseAddress('10.9.0.1') as Address),
  },
  { requiredKeys: ['destination', 'link'] },
)
const route6 = fc.record(
  {
    destination: fc.constantFrom(...['::/0', '2001:db8::/32'].map(text => parseCidr(text) as Cidr)),
    gateway: fc.constantFrom(...['fd00:9::7', 'fd00:9::8', '2001:db8:1::1'].map(text => parseAddress(text) as Address)),
    link,
    mtu: fc.constantFrom(1300, 1400),
    priority: fc.constantFrom(5, 6),
  },
  { requiredKeys: ['destination', 'link'] },
)
const change: fc.Arbitrary<readonly [string, Change]> = fc.oneof(
  fc.tuple(fc.constantFrom('br0', 'br1')).map(
    named(
      'addBridge',
      ([name]) =>
        network =>
          network.addBridge(name, {}),
    ),
  ),
  fc.tuple(fc.constantFrom(1, 2), fc.option(fc.constantFrom('br0', 'br1'), { nil: undefined })).map(
    named(
      'addVeth',
      ([n, master]) =>
        network =>
          network.addVeth(
            { name: `a${n}`, ...mac(n), ...(master !== undefined && { master }) },
            { name: `b${n}`, ...mac(n + 4) },
          ),
    ),
  ),
  fc.tuple(link, state).map(
    named(
      'state',
      ([name, to]) =>
        network =>
          network.changeLink(name, { state: to }),
    ),
  ),
  fc.tuple(link, fc.constantFrom('br0', 'br1', null)).map(
    named(
      'master',
      ([name, master]) =>
        network =>
          network.changeLink(name, { master }),
    ),
  ),
  fc.tuple(link, fc.constantFrom(1280, 1400, 1)).map(
    named(
      'mtu',
      ([name, mtu]) =>
        network =>
          network.changeLink(name, { mtu }),
    ),
  ),
  fc.tuple(link, toggle).map(
    named(
      'promiscuous',
      ([name, promiscuous]) =>
        network =>
          network.changeLink(name, { promiscuous }),
    ),
  ),
  fc.tuple(link, toggle, toggle).map(
    named(
      'port',
      ([name, hairpin, isolated]) =>
        network =>
          network.changeBridgePort(name, { hairpin, isolated }),
    ),
  ),
  fc.tuple(link, given).map(
    named(
      'addAddress',
      ([name, one]) =>
        network =>
          network.addAddress(name, one),
    ),
  ),
  fc.tuple(link, given).map(
    named(
      'deleteAddress',
      ([name, one]) =>
        network =>
          network.deleteAddress(name, one),
    ),
  ),
  fc.tuple(route).map(
    named(
      'addRoute',
      ([one]) =>
        network =>
          network.addRoute(one),
    ),
  ),
  fc.tuple(route).map(
    named(
      'deleteRoute',
      ([one]) =>
        network =>
          network.deleteRoute(one),
    ),
  ),
  fc.tuple(route6).map(
    named(
      'addRoute',
      ([one]) =>
        network =>
          network.addRoute(one),
    ),
  ),
  fc.tuple(route6).map(
    named(
      'deleteRoute',
      ([one]) =>
        network =>
          network.deleteRoute(one),
    ),
  ),
  fc.tuple(link).map(
    named(
      'deleteLink',
      ([name]) =>
        network =>
          network.deleteLink(name),
    ),
  ),
)

describe.skipIf(why !== undefined)(`two ways to one network${why ? ` (skipped: ${why})` : ''}`, () => {
  test('end the same, and see the same', async () => {
    const ways = [netlinkNetworks()!, commandNetworks(hostKernel())] as const
    const changes = fc.array(fc.tuple(change, fc.constantFrom(0, 1)), { minLength: STEPS, maxLength: STEPS })
    await fc.assert(
      fc.asyncProperty(changes, async steps => {
        const namespaces = [await newNamespace('net-walk'), await newNamespace('net-walk')] as const
        const at = await Promise.all(namespaces.map(one => Promise.all(ways.map(way => way.open(pathOf(one))))))
        try {
          for (const [netlink] of at) await furnish(netlink!)
          for (const [[words, step], first] of steps) {
            const [one, other] = [at[0]![first]!, at[1]![1 - first]!]
            expect([words, await outcome(step(one))]).toEqual([words, await outcome(step(other))])
          }
          for (const [netlink, commands] of at)
            expect(await seen(commands!, SETTLING)).toEqual(await seen(netlink!, SETTLING))
          expect(await seen(at[0]![0]!, CHANCE)).toEqual(await seen(at[1]![0]!, CHANCE))
        } finally {
          for (const network of at.flat()) network.close()
          for (const namespace of namespaces) await namespace.end()
        }
      }),
      { numRuns: 3, endOnFailure: true },
    )
  })
})

/** So that the first steps have something to change. */
async function furnish(network: NamespaceNetwork): Promise<void> {
  await network.addBridge('br0', {})
  await network.addVeth({ name: 'a1', ...mac(1), master: 'br0', state: 'up' }, { name: 'b1', ...mac(5) })
  for (const name of ['br0', 'b1', 'lo']) await network.changeLink(name, { state: 'up' })
  for (const text of ['10.9.0.1', 'fd00:9::1']) {
    const address = parseAddress(text) as Address
    await network.addAddress('b1', { address, prefixLength: text.includes(':') ? 64 : 24, withoutDad: true })
  }
}

function named<T>(name: string, make: (values: T) => Change): (values: T) => readonly [string, Change] {
  return values => [`${name} ${JSON.stringify(values)}`, make(values)]
}

function mac(n: number): { readonly mac: string } {
  return { mac: `0a:58:0a:09:00:0${n}` }
}

/** Not the kernel's word for it: where it gives a reason in words, `ip` prints no other, and kernels have many. */
async function outcome(change: Promise<unknown>): Promise<unknown> {
  try {
    return await change
  } catch (error) {
    expect(error).toBeInstanceOf(NetworkRefused)
    return 'refused'
  }
}

/** What the kernel brings about some time after the change, as it does link-local addresses. */
const SETTLING: readonly string[] = ['operState', 'state', 'isTentative']
/** A bridge without ports has a MAC of the kernel's choice. */
const CHANCE: readonly string[] = [...SETTLING, 'mac']

async function seen(network: NamespaceNetwork, without: readonly string[]): Promise<unknown> {
  const links = await network.links()
  const ports = await Promise.all(links.map(async ({ name }) => [name, await network.bridgePort(name)]))
  const routes = (await Promise.all(FAMILIES.map(family => network.routes(family)))).flat()
  const addresses = await network.addresses()
  const all = {
    links,
    ports,
    routes: routes.filter(({ destination }) => destination !== 'fe80::/64'),
    // `ip` lists them by link, the kernel by family.
    addresses: addresses.filter(({ scope }) => scope !== 'link').toSorted((a, b) => a.link - b.link),
  }
  return JSON.parse(JSON.stringify(all, (key, value) => (without.includes(key) ? undefined : value)))
}
