import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as names from '#cni/plugins/bridge/rules/names.ts'
import type { JsonObject } from '#cni/protocol/request.ts'
import { leftOf, NOTHING, rulesOf } from './bridge-left.ts'
import type { Pod } from './bridge-pod.ts'
import { ensured } from './bridge-requirements.ts'
import { BridgeStage, DUAL_STACK } from './bridge-stage.ts'

// DEL and GC: whatever is left of an attachment goes, whether or not its namespace is still there, and whichever plugin made it.

const why = await ensured()

const BACKENDS: readonly (readonly [string, JsonObject])[] = [
  ['masqueraded by iptables', { ipMasqBackend: 'iptables' }],
  ['masqueraded by nftables', { ipMasqBackend: 'nftables' }],
  ['masqueraded, with spoofed frames dropped', { macspoofchk: true }],
]
const MASQUERADED: JsonObject = { isGateway: true, ipMasq: true, ipam: DUAL_STACK }

describe.skipIf(why !== undefined)(`an attachment that ends${why ? ` (skipped: ${why})` : ''}`, () => {
  let stage: BridgeStage
  let pod: Pod

  beforeEach(async () => {
    stage = await BridgeStage.open()
    pod = await stage.addPod()
  })
  afterEach(() => stage.end())

  const rules = (): Promise<readonly string[]> => rulesOf(stage)
  const everything = () => leftOf(stage)

  describe.each(BACKENDS)('%s,', (_, backend) => {
    const config = { ...MASQUERADED, ...backend }

    test('is gone after a DEL, and a second one finds nothing to do', async () => {
      const previous = await stage.call('ADD', pod, { config })
      expect((await rules()).length).toBeGreaterThan(0)
      await stage.call('DEL', pod, { config, previous })
      expect(await everything()).toEqual(NOTHING)
      await stage.call('DEL', pod, { config, previous })
      await stage.call('DEL', pod, { config, without: 'namespace' })
      expect(await pod.run('ip', '-o', 'link')).not.toContain('eth0')
    })

    test('is gone without its result, without its interface, and without its namespace', async () => {
      await stage.call('ADD', pod, { config })
      await stage.call('DEL', pod, { config })
      expect(await everything()).toEqual(NOTHING)
      await stage.call('ADD', pod, { config })
      await pod.run('ip', 'link', 'delete', 'eth0')
      await stage.call('DEL', pod, { config })
      expect(await everything()).toEqual(NOTHING)
      await stage.call('ADD', pod, { config })
      await pod.leave()
      await stage.call('DEL', pod, { config })
      expect(await everything()).toEqual(NOTHING)
    })

    test('is gone after a DEL without namespace and result, as containerd’s second one', async () => {
      await stage.call('ADD', pod, { config })
      await pod.leave()
      await stage.call('DEL', pod, { config, without: 'namespace' })
      expect(await everything()).toEqual(NOTHING)
    })

    test('leaves another interface of the same container as it is', async () => {
      const outside = await stage.addOutside()
      await outside.listen('tcp', 80)
      const first = await stage.call('ADD', pod, { config })
      const second = await stage.call('ADD', pod, {
        config: { ...config, ipam: { ...DUAL_STACK, routes: [] } },
        ifname: 'net1',
      })
      await stage.call('DEL', pod, { config, ifname: 'net1', previous: second })
      expect(await pod.host(first).connect({ to: outside.ip4, port: 80, timeoutMs: 30_000 })).toMatchObject({
        ok: true,
        answer: { peer: { address: '203.0.113.1' } },
      })
      await stage.call('CHECK', pod, { config, previous: first })
      await stage.call('DEL', pod, { config, previous: first })
      expect(await everything()).toEqual(NOTHING)
    })

    test('is taken back by GC where it is not valid, and stays where it is', async () => {
      const other = await stage.addPod()
      const previous = await stage.call('ADD', other, { config })
      await stage.call('ADD', pod, { config })
      await pod.leave()
      const valid = [{ container: other.container, ifname: 'eth0' }]
      await stage.call('GC', pod, { config, valid })
      await stage.call('CHECK', other, { config, previous })
      expect(await stage.rulesWith(pod.container)).toEqual([])
      expect((await stage.leased()).toSorted()).toEqual(previous.ips.map(({ address }) => address).toSorted())
      await other.leave()
      await stage.call('GC', pod, { config, valid: [] })
      expect(await everything()).toEqual(NOTHING)
    })

    test('stays where GC has no list, or is of another network', async () => {
      const previous = await stage.call('ADD', pod, { config })
      await stage.call('GC', pod, { config })
      await stage.call('GC', pod, { config: { ...config, name: 'net2' }, valid: [] })
      await stage.call('CHECK', pod, { config, previous })
    })
  })

  test('is gone after a DEL whose configuration masquerades no longer', async () => {
    for (const ipMasqBackend of ['iptables', 'nftables']) {
      const previous = await stage.call('ADD', pod, { config: { ...MASQUERADED, ipMasqBackend } })
      await stage.call('DEL', pod, { config: { ...MASQUERADED, ipMasq: false }, previous })
      expect(await everything()).toEqual(NOTHING)
    }
  })

  test('GC takes back the rules of the back end that the configuration named before', async () => {
    for (const ipMasqBackend of ['iptables', 'nftables']) {
      await stage.call('ADD', pod, { config: { ...MASQUERADED, ipMasqBackend }, ifname: 'eth0' })
      await pod.run('ip', 'link', 'delete', 'eth0')
      await stage.parts.delegates.del('host-local', stage.request('DEL', pod, {}))
    }
    await stage.call('GC', pod, { config: { ipam: DUAL_STACK }, valid: [] })
    expect(await everything()).toEqual(NOTHING)
  })

  test('a chain whose rules were flushed goes as well', async () => {
    const config = { ...MASQUERADED, ipMasqBackend: 'iptables' }
    const previous = await stage.call('ADD', pod, { config })
    await stage.run('iptables', '-t', 'nat', '-F')
    await stage.run('ip6tables', '-t', 'nat', '-F', 'POSTROUTING')
    await stage.call('DEL', pod, { config, previous })
    expect(await everything()).toEqual(NOTHING)
  })

  test('an address that another pod was given meanwhile keeps its rules', async () => {
    const config = { ...MASQUERADED, ipMasqBackend: 'nftables' }
    const previous = await stage.call('ADD', pod, { config })
    await pod.leave()
    // Its DEL never came, and its address was freed by hand.
    await stage.parts.delegates.del('host-local', stage.request('DEL', pod, { config }))
    const other = await stage.addPod()
    const wanted = {
      ...config,
      args: { cni: { ips: ['10.66.0.2', 'fd00:66::2'] } },
      ipam: { ...DUAL_STACK, cooldown: '0s' },
    }
    const second = await stage.call('ADD', other, { config: wanted })
    expect(second.ips[0]!.address).toBe('10.66.0.2')
    await stage.call('DEL', pod, { config, previous, without: 'namespace' })
    await stage.call('CHECK', other, { config: wanted, previous: second })
  })

  test('an interface in a namespace that lives on goes by its port, in a DEL without namespace and in GC', async () => {
    const config = { isGateway: true, ipam: DUAL_STACK }
    const [other, net1] = [await stage.addPod(), { config, ifname: 'net1' }]
    const previous = await stage.call('ADD', pod, { config })
    await stage.call('ADD', pod, { config: { ...config, ipam: { ...DUAL_STACK, routes: [] } }, ifname: 'net1' })
    await stage.call('ADD', other, { config })
    expect(await stage.run('ip', 'link')).toContain(
      `alias ${names.interfaceComment({ network: 'net1', container: pod.container, ifname: 'eth0' })}`,
    )
    await stage.call('DEL', pod, { ...net1, without: 'namespace' })
    expect(await pod.run('ip', '-o', 'link')).not.toContain('net1')
    await stage.call('GC', pod, { config, valid: [{ container: pod.container, ifname: 'eth0' }] })
    expect(await other.run('ip', '-o', 'link')).not.toContain('eth0')
    await stage.call('CHECK', pod, { config, previous })
    await stage.call('GC', pod, { config: { ...config, name: 'net2' }, valid: [] })
    await stage.call('CHECK', pod, { config, previous })
  })

  test('a configuration that can no longer be used keeps nothing', async () => {
    await stage.call('ADD', pod, { config: MASQUERADED })
    const broken = { ...MASQUERADED, vlan: 9999, mtu: 'large', hairpinMode: true, promiscMode: true, bridge: 'gone' }
    await stage.call('DEL', pod, { config: broken })
    expect(await everything()).toEqual(NOTHING)
  })

  test('what is no veth in the pod is not ours, and stays', async () => {
    await pod.run('ip', 'link', 'add', 'eth0', 'type', 'bridge')
    await stage.call('DEL', pod, { config: MASQUERADED })
    expect(await pod.run('ip', '-o', 'link')).toContain('eth0')
  })
})

describe.skipIf(why !== undefined)(`with iptables-legacy${why ? ` (skipped: ${why})` : ''}`, () => {
  test('rules are made and taken back as well, also without a namespace', async () => {
    const stage = await BridgeStage.open('legacy')
    try {
      const pod = await stage.addPod()
      const previous = await stage.call('ADD', pod, { config: MASQUERADED })
      await stage.call('CHECK', pod, { config: MASQUERADED, previous })
      expect((await stage.rulesWith('CNI-')).length).toBeGreaterThan(4)
      await pod.leave()
      await stage.call('DEL', pod, { config: MASQUERADED, without: 'namespace' })
      expect(await stage.rulesWith('CNI-')).toEqual([])
    } finally {
      await stage.end()
    }
  })
})
