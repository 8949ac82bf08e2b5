import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { bridge } from '#cni/plugins/bridge/bridge.ts'
import { NO_RESULT } from '#cni/protocol/result.ts'
import { NetworkRefused } from '#system/network/network.ts'
import { BridgeStage, DUAL, GATEWAY } from './bridge-stage.ts'

// What cannot be had from a real kernel at will: any change that is refused, and interfaces that never come up.

const MASQUERADED = { ...GATEWAY, ipMasq: true, ipMasqBackend: 'iptables' }
const WHOLE = {
  ...{ ...MASQUERADED, isDefaultGateway: true, hairpinMode: true, portIsolation: true },
  ...{ vlan: 5, vlanTrunk: [{ id: 9 }], enabledad: true },
}

let stage: BridgeStage
beforeEach(() => {
  stage = new BridgeStage()
})

/** Changes of these numbers are refused, of a link or of a rule, until it is healed. */
function failing(numbers: readonly number[]) {
  const stage = new BridgeStage()
  let count = 0
  const isDoomed = () => numbers.includes(count++)
  stage.networks.fate = () => {
    if (isDoomed()) throw new NetworkRefused('EPERM', 'cannot do it (EPERM)')
  }
  const works = stage.kernel.failWhen(isDoomed, { code: 4, stdout: '', stderr: 'refused' })
  const heal = (): void => {
    works()
    stage.networks.fate = () => {}
  }
  return { stage, heal }
}

describe('an ADD of which any change is refused', () => {
  test.each<[string, object]>([
    ['with addresses that are taken first', WHOLE],
    ['with addresses that come over the interface', { ...WHOLE, ipam: { type: 'dhcp' } }],
    ['without addresses', { hairpinMode: true, vlan: 7 }],
  ])('%s, has made all of it or leaves nothing', async (_, config) => {
    let [made, failed] = [0, 0]
    for (let at = 0; at < 60; at++) {
      const { stage, heal } = failing([at])
      const result = await stage.add(config).catch((error: Error) => error)
      heal()
      if (result instanceof Error) {
        failed += 1
        expect([at, result.message, await stage.left()]).toEqual([at, expect.stringMatching(/EPERM|refused/), []])
      } else {
        made += 1
        await stage.check(config, result)
        await stage.del(config, result)
        expect(await stage.left()).toEqual([])
      }
    }
    expect(Math.min(made, failed)).toBeGreaterThan(4)
  })

  test('whatever is refused on the way back as well, the DEL that follows leaves nothing', async () => {
    const numbers = fc.uniqueArray(fc.nat(40), { minLength: 2, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(numbers, fc.constantFrom('host-local', 'dhcp'), async (doomed, type) => {
        const { stage, heal } = failing(doomed)
        const config = { ...WHOLE, ipam: { type } }
        await stage.add(config).catch(() => {})
        heal()
        await stage.del(config)
        expect(await stage.left()).toEqual([])
        await stage.del(config)
      }),
    )
  })

  test('is taken back once, and what fails then hides nothing of why', async () => {
    stage.networks.pod.refusals.addAddress = 'EPERM'
    stage.networks.node.refusals.deleteLink = 'EBUSY'
    await expect(stage.add()).rejects.toThrow('failed to add IP addr 10.1.0.5/16 to "eth0": cannot do it (EPERM)')
    expect(stage.networks.calls.slice(-2)).toEqual([expect.stringMatching(/^node deleteLink veth/), 'ipam del'])
  })
})

describe('an ADD', () => {
  test('says what it made: the bridge, its port, the interface, and what carries the gateway of a VLAN', async () => {
    const { interfaces, ips, routes, dns } = await stage.add(WHOLE)
    const { mac } = stage.networks.node.found.get('cni0')!
    expect(interfaces).toEqual([
      { name: 'cni0', mac },
      { name: stage.port, mac: '0a:00:00:00:00:02' },
      { name: 'eth0', mac: '0a:00:00:00:00:01', sandbox: '/run/netns/c1' },
      { name: 'cni0.5', mac: '0a:00:00:00:00:00' },
    ])
    expect(ips.map(({ interface: at, gateway }) => [at, gateway])).toEqual([
      [2, '10.1.0.1'],
      [2, 'fd00:1::1'],
    ])
    expect([routes.map(({ dst }) => dst), dns]).toEqual([['0.0.0.0/0', '::/0'], DUAL.dns])
  })

  test('keeps what it wrote of rules, once they stand', async () => {
    await stage.add(MASQUERADED)
    const [{ wanted } = { wanted: '' }] = await stage.book.all('boot')
    expect(JSON.parse(wanted)).toEqual({ masquerade: 'iptables', ips: DUAL.ips })
  })

  test('goes on where what is kept of rules cannot be written', async () => {
    const stage = new BridgeStage({ rules: () => Promise.reject(new Error('the disk is full')) })
    await stage.check(MASQUERADED, await stage.add(MASQUERADED))
  })

  test('is refused where the pod has such an interface, before anything is taken', async () => {
    await stage.add()
    const before = await stage.left()
    await expect(stage.add()).rejects.toThrow('container veth name provided (eth0) already exists')
    expect(await stage.left()).toEqual(before)
  })

  test('of IPAM that gives nothing gives it back', async () => {
    stage.ipam.result = NO_RESULT
    await expect(stage.add()).rejects.toThrow('IPAM plugin returned missing IP config')
    expect(stage.networks.calls).toEqual(['ipam add', 'ipam del'])
  })

  test('waits for the port as long as the reference, and says in which state it is', async () => {
    stage.networks.node.operState = 'lowerlayerdown'
    const begun = stage.clock.now()
    await expect(stage.passing(stage.add())).rejects.toThrow('bridge port in error state: lowerlayerdown')
    expect(stage.clock.now() - begun).toBeGreaterThan(2000)
    expect(await stage.left()).toEqual([])
  })

  test('waits for no port whose interface another program sets up', async () => {
    stage.networks.node.operState = 'lowerlayerdown'
    await expect(stage.add({ disableContainerInterface: true })).resolves.toMatchObject({ ips: [] })
    expect(stage.networks.pod.found.get('eth0')).toMatchObject({ isUp: false })
  })

  test('goes on where settings may not be written, but for forwarding', async () => {
    const { node, pod } = stage.networks
    node.changeSetting = pod.changeSetting = async path => {
      if (!path.includes('forward')) throw new Error('a file system that can only be read')
    }
    await expect(stage.add()).resolves.toBeDefined()
    await stage.del()
    node.forget('cni0')
    node.changeSetting = async () => {
      throw new Error('a file system that can only be read')
    }
    await expect(stage.add()).rejects.toThrow(
      'failed to enable forwarding (ipv4/ip_forward): a file system that can only be read',
    )
  })

  test.each([
    [{ domain: 'a.example' }, { domain: 'a.example' }],
    [{ nameservers: ['192.0.2.1'] }, { nameservers: ['192.0.2.1'] }],
    [{ domain: '' }, DUAL.dns],
  ])('of a configuration with the DNS %j says %j', async (dns, said) => {
    expect((await stage.add({ ...GATEWAY, dns })).dns).toEqual(said)
  })

  test('needs a namespace', async () => {
    const request = { ...stage.request('ADD', GATEWAY), netns: undefined }
    await expect(bridge.add(request, stage.parts)).rejects.toThrow('required env variables [CNI_NETNS] missing')
  })
})
