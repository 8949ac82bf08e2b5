import { describe, expect, test } from 'vitest'
import { hostLocalConfig, namesRanges, rangesKnownNow } from '#cni/plugins/host-local/configuration.ts'
import type { GrantedRanges } from '#ipam/leases/lease-book.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { setOf } from '../../../support/leases.ts'
import { requestOf } from '../../requests.ts'
import { DUAL, PaperNode, SMALL } from './node.ts'

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

describe('ranges', () => {
  const GRANTED: GrantedRanges = { sets: [setOf('10.7.0.0/24')], revision: 4, source: 'node', why: '' }
  const request = (ipam: object, config: object = {}) =>
    requestOf({ plugin: 'host-local', config: { ipam: { type: 'host-local', ...ipam }, ...config } })
  const subnets = (sets: readonly RangeSet[] | undefined) => sets?.map(([{ subnet }]) => subnet)
  const AT_RUNTIME = { runtimeConfig: { ipRanges: [[{ subnet: '10.5.0.0/24' }]] } }

  test.each<[string, object, object, readonly string[], number | undefined]>([
    ['of the node, where none are named', {}, {}, ['10.7.0.0/24'], 4],
    ['that are named, before those of the node', { subnet: '10.9.0.0/24' }, {}, ['10.9.0.0/24'], undefined],
    ['of the runtime, before those of the node', {}, AT_RUNTIME, ['10.5.0.0/24'], undefined],
    ['in a key of other letters', { Subnet: '10.9.0.0/24' }, {}, ['10.9.0.0/24'], undefined],
  ])('are those %s', (_, ipam, config, expected, revision) => {
    const decoded = hostLocalConfig(request(ipam, config), GRANTED)
    expect([subnets(decoded.sets), decoded.revision]).toEqual([expected, revision])
  })

  test.each([{ rangeStart: '10.7.0.9' }, { rangeEnd: '10.7.0.9' }, { gateway: '10.7.0.1' }, { ranges: [] }])(
    'of the node are not taken where %j says that others are meant',
    ipam => {
      expect(namesRanges(request(ipam))).toBe(true)
      expect(() => hostLocalConfig(request(ipam), GRANTED)).toThrow('no IP ranges specified')
    },
  )

  test('are not known to a STATUS where each ADD brings its own', () => {
    const capable = { capabilities: { ipRanges: true } }
    expect(rangesKnownNow(request({}, capable), GRANTED)).toBeUndefined()
    expect(subnets(rangesKnownNow(request({}, { ...capable, ...AT_RUNTIME }))?.sets)).toEqual(['10.5.0.0/24'])
    expect(subnets(rangesKnownNow(request({ subnet: '10.9.0.0/24' }, capable))?.sets)).toEqual(['10.9.0.0/24'])
    expect(subnets(rangesKnownNow(request({}), GRANTED)?.sets)).toEqual(['10.7.0.0/24'])
  })

  test('and other fields that are wrong are said at once', () => {
    const wrong = request({ subnet: '10.9.0.0/33', overlap: 'maybe', cooldown: 'soon' })
    expect(() => hostLocalConfig(wrong)).toThrow(
      expect.objectContaining({
        details: expect.stringMatching(/ipam\.subnet.*; ipam\.overlap.*|ipam\.subnet.*ipam\.cooldown/),
      }),
    )
  })
})
