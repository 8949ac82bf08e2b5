import { beforeEach, describe, expect, test } from 'vitest'
import { bridgeConfiguration } from '#cni/plugins/bridge/configuration.ts'
import { announceAgain, setUpInterface } from '#cni/plugins/bridge/links/container.ts'
import { addressPlan } from '#cni/plugins/bridge/links/gateways.ts'
import type { CniRoute } from '#cni/protocol/result.ts'
import { parseAddress } from '#values/address.ts'
import { parseCidr } from '#values/cidr.ts'
import { requestOf } from '../../../requests.ts'
import { BridgeStage, DUAL } from '../bridge-stage.ts'

let stage: BridgeStage
beforeEach(() => {
  stage = new BridgeStage()
  stage.networks.pod.put('eth0', { kind: 'veth', mac: '0a:00:00:00:00:05' })
})

interface Given {
  readonly routes?: readonly CniRoute[]
  readonly only?: 'ipv4'
  readonly config?: object
}

function setUp({ routes = [], only, config = {} }: Given = {}): Promise<void> {
  const options = bridgeConfiguration(requestOf({ config: { isGateway: true, ...config } }))
  const ips = only === undefined ? DUAL.ips : DUAL.ips.slice(0, 1)
  const plan = addressPlan({ ...DUAL, ips, routes }, options)
  return stage.passing(setUpInterface({ pod: stage.networks.pod, ifname: 'eth0', clock: stage.clock }, plan, options))
}

const setting = (path: string) => stage.networks.pod.settings.get(path)
const to = (dst: string, more: Partial<CniRoute> = {}): CniRoute => ({ dst: parseCidr(dst)!, ...more })

describe('an interface of both families', () => {
  test('has its addresses, is up, and says so to neighbours', async () => {
    await setUp()
    const link = stage.networks.pod.found.get('eth0')!
    expect([link.isUp, link.addresses.map(({ address }) => address)]).toEqual([true, ['10.1.0.5', 'fd00:1::5']])
    expect([setting('ipv4/conf/eth0/arp_notify'), setting('ipv6/conf/eth0/ndisc_notify')]).toEqual(['1', '1'])
  })

  test('of a pod where IPv6 is off turns it on, and leaves it where it is on', async () => {
    const { pod } = stage.networks
    pod.settings.set('ipv6/conf/lo/disable_ipv6', '1\n')
    pod.settings.set('ipv6/conf/eth0/disable_ipv6', '0')
    await setUp()
    expect(setting('ipv6/conf/lo/disable_ipv6')).toBe('0')
    expect(stage.networks.calls.filter(call => call.includes('disable_ipv6'))).toHaveLength(1)
  })

  test('that may not turn IPv6 on says where', async () => {
    const { pod } = stage.networks
    pod.settings.set('ipv6/conf/eth0/disable_ipv6', '1')
    pod.changeSetting = async path => {
      if (path.endsWith('disable_ipv6')) throw new Error('read-only file system')
    }
    await expect(setUp()).rejects.toThrow(
      'failed to enable IPv6 for interface "eth0" (ipv6/conf/eth0/disable_ipv6=1): read-only file system',
    )
  })

  test.each([
    ['is used at once', {}, '0', undefined],
    ['is looked for first where that is asked for', { enabledad: true }, '1', '1'],
  ])('an IPv6 address %s, and survives the link', async (_, config, accept, enhanced) => {
    await setUp({ config })
    expect(setting('ipv6/conf/eth0/accept_dad')).toBe(accept)
    expect(setting('ipv6/conf/eth0/enhanced_dad')).toBe(enhanced)
    expect(setting('ipv6/conf/eth0/keep_addr_on_down')).toBe('1')
  })

  test('is waited for until no address is tentative', async () => {
    const { pod } = stage.networks
    pod.tentative = 'for ever'
    const begun = stage.clock.now()
    const look = pod.addresses.bind(pod)
    pod.addresses = async link => {
      const found = await look(link)
      return stage.clock.now() - begun < 900 ? found : found.map(one => ({ ...one, isTentative: false }))
    }
    await setUp({ routes: [to('::/0')] })
    expect(stage.clock.now() - begun).toBeGreaterThanOrEqual(900)
    expect(pod.laid.map(({ gateway }) => gateway)).toEqual(['fd00:1::1'])
  })

  test('waits five seconds for an IPv6 address that is looked for, then says which it is', async () => {
    stage.networks.pod.tentative = 'for ever'
    const begun = stage.clock.now()
    await expect(setUp()).rejects.toMatchObject({
      code: 11,
      message: expect.stringContaining('still has tentative addresses after 5 seconds: fd00:1::5'),
    })
    expect(stage.clock.now() - begun).toBeGreaterThanOrEqual(5000)
  })

  test('that nothing is connected to is set up with tentative addresses', async () => {
    const { pod } = stage.networks
    pod.tentative = 'for ever'
    pod.operState = 'lowerlayerdown'
    pod.put('eth0', { kind: 'veth' })
    await setUp()
    expect(pod.found.get('eth0')?.isUp).toBe(true)
  })

  test('says which address another interface has', async () => {
    stage.networks.pod.tentative = 'failed'
    await expect(setUp()).rejects.toThrow('link eth0 has address fd00:1::5 in DADFAILED state')
  })
})

test('an interface of IPv4 alone touches nothing of IPv6, and waits for nothing', async () => {
  stage.networks.pod.tentative = 'for ever'
  await setUp({ only: 'ipv4', routes: [to('0.0.0.0/0')] })
  expect(stage.networks.calls.filter(call => call.includes('ipv6'))).toEqual([])
})

describe('routes', () => {
  test('go through the gateway of their family, with all that is said of them', async () => {
    await setUp({
      routes: [
        to('0.0.0.0/0'),
        to('::/0', { gw: parseAddress('fd00:1::9')! }),
        to('10.50.0.0/16', { mtu: 1300, advmss: 1260, priority: 7, table: 100 }),
        to('169.254.1.1/32', { scope: 253 }),
      ],
    })
    expect(stage.networks.pod.laid).toEqual([
      { destination: '0.0.0.0/0', link: 'eth0', gateway: '10.1.0.1' },
      { destination: '::/0', link: 'eth0', gateway: 'fd00:1::9' },
      {
        destination: '10.50.0.0/16',
        link: 'eth0',
        gateway: '10.1.0.1',
        mtu: 1300,
        advmss: 1260,
        priority: 7,
        table: 100,
      },
      { destination: '169.254.1.1/32', link: 'eth0', scope: 253 },
    ])
  })

  test('that are named twice are laid once', async () => {
    await setUp({ routes: [to('0.0.0.0/0'), to('0.0.0.0/0')] })
    expect(stage.networks.pod.laid).toHaveLength(1)
  })

  test('that are refused are named', async () => {
    stage.networks.pod.refusals.addRoute = 'EHOSTUNREACH'
    await expect(setUp({ routes: [to('10.9.0.0/16', { mtu: 1300 })] })).rejects.toThrow(
      "failed to add route '10.9.0.0/16 via 10.1.0.1 dev eth0 mtu 1300': cannot do it (EHOSTUNREACH)",
    )
  })
})

test('neighbours hear of it again, and a pod that refuses it is as good', async () => {
  const { pod } = stage.networks
  await announceAgain(pod, 'eth0', '0a:00:00:00:00:05')
  pod.refusals.changeLink = 'EPERM'
  await announceAgain(pod, 'eth0', '0a:00:00:00:00:05')
  expect(stage.networks.calls).toEqual(['pod changeLink eth0', 'pod changeLink eth0'])
})
