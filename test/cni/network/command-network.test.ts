import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CommandNetwork } from '#cni/network/command-network.ts'
import type { Command, Outcome } from '#system/ports.ts'
import type { Address } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'

// What no kernel test brings about: names that are none, answers that are none. All else is under the contract of networks.

const LINKS = JSON.stringify([
  { ifindex: 1, ifname: 'lo', flags: ['UP'], mtu: 65_536, operstate: 'UNKNOWN', link_type: 'loopback' },
  {
    ifindex: 5,
    ifname: 'eth0',
    flags: [],
    mtu: 1500,
    operstate: 'DOWN',
    link_type: 'ether',
    address: '0a:58:0a:09:00:01',
  },
])

function opened(answer: Partial<Outcome> = {}, listing: Partial<Outcome> = { stdout: LINKS }) {
  const asked: string[] = []
  const run = async ({ argv }: Command): Promise<Outcome> => {
    const isListing = argv.includes('-details')
    if (!isListing) asked.push(argv.join(' '))
    return { code: 0, stdout: '', stderr: '', ...(isListing ? listing : answer) }
  }
  return { network: new CommandNetwork({ run }, undefined), asked }
}

const MAC = '0a:58:0a:09:00:02'
const ROUTE = { destination: '10.9.0.0/24' as Cidr }
const ADDRESS = { address: '10.9.0.2' as Address, prefixLength: 24 }
const VXLAN = { vni: 1, port: 4789, mac: MAC, mtu: 1450 }

describe('a name that no link can have', () => {
  const name = fc.oneof(
    fc.constantFrom(
      '',
      '.',
      '..',
      'a/b',
      '../x',
      'a b',
      'a\nb',
      'a\0',
      'veth%d',
      'a:b',
      'sixteen-letters0',
      'éééééééé',
    ),
    fc.string({ minLength: 16 }),
  )

  test('is refused before anything is changed', async () => {
    await fc.assert(
      fc.asyncProperty(name, async bad => {
        const { network, asked } = opened()
        for (const change of [
          network.addBridge(bad, {}),
          network.addVeth({ name: bad }, { name: 'eth1' }),
          network.addVeth({ name: 'veth1' }, { name: bad }),
          network.addVeth({ name: 'veth1', master: bad }, { name: 'eth1' }),
          network.addVlan(bad, { parent: 'eth0', id: 5 }),
          network.addVlan('eth0.5', { parent: bad, id: 5 }),
          network.addVxlan(bad, VXLAN),
          network.changeLink('eth0', { name: bad }),
          network.changeLink('eth0', { master: bad }),
          network.changeLink(bad, { mtu: 1400 }),
          network.changeBridgePort(bad, { hairpin: 'on' }),
          network.addVlans(bad, [{ id: 5, isUntagged: false, isPvid: false }]),
          network.addAddress(bad, ADDRESS),
          network.addRoute({ ...ROUTE, link: bad }),
          network.neighbours.set(bad, { address: ADDRESS.address, mac: MAC }),
        ])
          await expect(change).rejects.toMatchObject({ code: expect.stringMatching(/^(EINVAL|ENODEV)$/) })
        expect(await network.deleteLink(bad)).toBe(false)
        expect(asked).toEqual([])
      }),
    )
  })

  test.each(['if5', 'ETH0', 'eth', '5'])('%s is no other name of a link, as `ip` has it', async other => {
    const { network, asked } = opened()
    expect([await network.link(other), await network.deleteLink(other)]).toEqual([undefined, false])
    await expect(network.changeLink(other, { mtu: 1400 })).rejects.toThrow(
      `cannot change link "${other}": there is no link "${other}" (ENODEV)`,
    )
    expect(asked).toEqual([])
  })
})

test.each(['', '0a:58', '0a:58:0a:09:00:02 up', '0a-58-0a-09-00-02'])(
  '%j is no hardware address, and nothing is made with it',
  async mac => {
    const { network, asked } = opened()
    for (const change of [
      network.addVeth({ name: 'veth1', mac }, { name: 'eth1' }),
      network.addVeth({ name: 'veth1' }, { name: 'eth1', mac }),
      network.addVxlan('vx1', { ...VXLAN, mac }),
      network.changeLink('eth0', { mac }),
      network.neighbours.set('eth0', { address: ADDRESS.address, mac }),
    ])
      await expect(change).rejects.toThrow(`"${mac}" is no MAC address`)
    expect(asked).toEqual([])
  },
)

test('the namespace of the far end is a path, also without a slash: `ip` would take it for a name, or for a process', async () => {
  const { network, asked } = opened()
  for (const namespace of ['4711', '/run/netns/blue'])
    await network.addVeth({ name: 'veth1' }, { name: 'eth1', namespace })
  expect(asked.map(line => / netns (\S+)/.exec(line)?.[1])).toEqual(['./4711', '/run/netns/blue'])
})

describe('a setting', () => {
  test.each(['', '/', '..', 'ipv4/../../kernel/sysrq', 'ipv4//x', 'ipv4/conf/.', 'ipv4/a\0'])(
    'is none at %j',
    async path => {
      const { network, asked } = opened()
      await expect(network.setting(path)).rejects.toThrow('no such path (EINVAL)')
      await expect(network.changeSetting(path, '1')).rejects.toThrow('no such path (EINVAL)')
      expect(asked).toEqual([])
    },
  )

  test.each([
    ['cat: /proc/sys/net/ipv4/x: No such file or directory', undefined],
    ['cat: /proc/sys/net/ipv4/x: Not a directory', undefined],
    ['cat: /proc/sys/net/ipv4/x: Permission denied', 'cannot read the setting ipv4/x: '],
  ])('that answers %j is absent, or refused: %s', async (stderr, refused) => {
    const { network } = opened({ code: 1, stderr })
    if (refused === undefined) expect(await network.setting('ipv4/x')).toBeUndefined()
    else await expect(network.setting('ipv4/x')).rejects.toThrow(refused)
    await expect(network.changeSetting('ipv4/x', '1')).rejects.toThrow('cannot give the setting ipv4/x the value "1": ')
  })
})

test.each<[string, string, (network: CommandNetwork) => Promise<boolean>]>([
  ['a link', 'Cannot find device "eth0"', network => network.deleteLink('eth0')],
  ['an address', 'Error: ipv4: Address not found.', network => network.deleteAddress('eth0', ADDRESS)],
  ['a route', 'RTNETLINK answers: No such process', network => network.deleteRoute(ROUTE)],
])('%s that is gone by now was not deleted; any other refusal is an error', async (_, absent, remove) => {
  expect(await remove(opened({ code: 2, stderr: absent }).network)).toBe(false)
  expect(await remove(opened().network)).toBe(true)
  const refused = opened({ code: 2, stderr: 'RTNETLINK answers: Operation not permitted' }).network
  await expect(remove(refused)).rejects.toThrow(/^cannot delete .*: Operation not permitted \(EPERM\)$/)
})

test.each(['[{"ifname":', 'usage: ip', '{}', '[null]'])(
  'a listing %j is refused, with what could not be done',
  async stdout => {
    const { network } = opened({ stdout }, { stdout })
    const listings = [network.links(), network.addresses(), network.routes('ipv4'), network.deleteLink('eth0')]
    for (const listing of listings) {
      const error = await listing.catch((reason: unknown) => reason)
      expect(error).toMatchObject({
        code: 'EBADMSG',
        message: expect.stringMatching(/^cannot list .*: what ip printed cannot be/),
      })
    }
  },
)

test('a command that fails without a word is a refusal, too', async () => {
  const { network } = opened({}, { code: 1 })
  await expect(network.links()).rejects.toThrow('cannot list links: the command said nothing (EINVAL)')
})

test('nothing is listed where nothing is printed', async () => {
  const { network } = opened({}, {})
  expect([await network.links(), await network.addresses(), await network.routes('ipv6')]).toEqual([[], [], []])
})
