import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '#cni/protocol/request.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import type { Host } from '#lab/network/host.ts'
import type { Pod } from './bridge-pod.ts'
import { ensured } from './bridge-requirements.ts'
import { BridgeStage, DUAL_STACK } from './bridge-stage.ts'

// Real packets of pods that `bridge` attached: to each other, to themselves, and out of the node.

const why = await ensured()
const GATEWAY: JsonObject = { isGateway: true, ipam: DUAL_STACK }
/** What comes, comes at once; but the machine may have other work. */
const SOON_MS = 30_000
const NEVER_MS = 500
/** Half of the time for which a neighbour remembers an address. */
const AT_ONCE_MS = 15_000
const FAMILY_ENDS = [
  ['IPv4', 'ip4'],
  ['IPv6', 'ip6'],
] as const

describe.skipIf(why !== undefined)(`packets of pods on a bridge${why ? ` (skipped: ${why})` : ''}`, () => {
  let stage: BridgeStage

  beforeEach(async () => {
    stage = await BridgeStage.open()
  })
  afterEach(() => stage.end())

  const attached = async (config: JsonObject): Promise<{ pod: Pod; host: Host; result: CniResult }> => {
    const pod = await stage.addPod()
    const result = await stage.call('ADD', pod, { config })
    return { pod, host: pod.host(result), result }
  }

  test.each(FAMILY_ENDS)('pods of one bridge reach each other over %s, with their own addresses', async (_, end) => {
    const [one, two] = [await attached(GATEWAY), await attached(GATEWAY)]
    await two.host.listen('tcp', 80)
    const outcome = await one.host.connect({ to: two.host[end], port: 80, timeoutMs: SOON_MS })
    expect(outcome).toMatchObject({ ok: true, answer: { name: two.pod.container, peer: { address: one.host[end] } } })
  })

  test('isolated pods do not, and reach the gateway', async () => {
    const config = { ...GATEWAY, portIsolation: true }
    const [one, two, free] = [await attached(config), await attached(config), await attached(GATEWAY)]
    await two.host.listen('tcp', 80)
    await free.host.listen('tcp', 80)
    expect(await one.host.connect({ to: two.host.ip4, port: 80, timeoutMs: NEVER_MS })).toMatchObject({ ok: false })
    expect(await one.host.connect({ to: free.host.ip4, port: 80, timeoutMs: SOON_MS })).toMatchObject({ ok: true })
    expect(await one.host.connect({ to: '10.66.0.1', port: 80, timeoutMs: SOON_MS })).toMatchObject({
      ok: false,
      error: 'refused',
    })
  })

  describe.each(['iptables', 'nftables'] as const)('masquerade by %s:', ipMasqBackend => {
    const config = { ...GATEWAY, ipMasq: true, ipMasqBackend }

    test.each(FAMILY_ENDS)('outside, a pod has the node’s address over %s; inside, its own', async (_, end) => {
      const outside = await stage.addOutside()
      const [one, two, plain] = [await attached(config), await attached(config), await attached(GATEWAY)]
      await outside.listen('tcp', 80)
      await two.host.listen('tcp', 80)
      const node = { ip4: '203.0.113.1', ip6: '2001:db8::1' }[end]
      expect(await one.host.connect({ to: outside[end], port: 80, timeoutMs: SOON_MS })).toMatchObject({
        ok: true,
        answer: { name: 'outside', peer: { address: node } },
      })
      expect(await one.host.connect({ to: two.host[end], port: 80, timeoutMs: SOON_MS })).toMatchObject({
        answer: { peer: { address: one.host[end] } },
      })
      // Another pod of the same bridge without masquerade has no way back: rules are for an address, not for a bridge.
      expect(await plain.host.connect({ to: outside[end], port: 80, timeoutMs: NEVER_MS })).toMatchObject({ ok: false })
    })

    test('after a DEL, the address leaves the node as it is', async () => {
      const outside = await stage.addOutside()
      await outside.addRoute('10.66.0.0/24', '203.0.113.1')
      await outside.listen('tcp', 80)
      const [one, plain] = [await attached(config), await attached(GATEWAY)]
      await stage.call('DEL', one.pod, { config, previous: one.result })
      expect(await plain.host.connect({ to: outside.ip4, port: 80, timeoutMs: SOON_MS })).toMatchObject({
        answer: { peer: { address: plain.host.ip4 } },
      })
    })
  })

  /** A neighbour that remembers the pod before would send to its hardware address for half a minute. */
  test.each(FAMILY_ENDS)('a pod that gets the address of another is reached at once over %s', async (_, end) => {
    const ips = ['10.66.0.9', 'fd00:66::9']
    const config = { ...GATEWAY, ipam: { ...DUAL_STACK, cooldown: '0s' }, args: { cni: { ips } } }
    const [neighbour, before] = [await attached(GATEWAY), await attached(config)]
    await before.host.listen('tcp', 80)
    expect(await neighbour.host.connect({ to: before.host[end], port: 80, timeoutMs: SOON_MS })).toMatchObject({
      ok: true,
    })
    await stage.call('DEL', before.pod, { config })
    const after = await attached(config)
    await after.host.listen('tcp', 80)
    const outcome = await neighbour.host.connect({ to: before.host[end], port: 80, timeoutMs: AT_ONCE_MS })
    expect(outcome).toMatchObject({ ok: true, answer: { name: after.pod.container } })
  })

  /** Frames with another sender are sent by changing the address of the interface. */
  test('a frame with a spoofed sender is dropped, one with its own is not', async () => {
    const [one, two] = [await attached({ ...GATEWAY, macspoofchk: true }), await attached(GATEWAY)]
    await two.host.listen('tcp', 80)
    expect(await one.host.connect({ to: two.host.ip4, port: 80, timeoutMs: SOON_MS })).toMatchObject({ ok: true })
    await one.pod.run('ip', 'link', 'set', 'eth0', 'address', '0a:00:00:00:00:99')
    expect(await one.host.connect({ to: two.host.ip4, port: 80, timeoutMs: NEVER_MS })).toMatchObject({ ok: false })
    await one.pod.run('ip', 'link', 'set', 'eth0', 'address', one.result.interfaces[2]!.mac!)
    expect(await one.host.connect({ to: two.host.ip4, port: 80, timeoutMs: SOON_MS })).toMatchObject({ ok: true })
  })

  /** Rules are applied to frames that are bridged, so the answer of the bridge to a pod's own frame is the port it came by. */
  test.each([
    ['on', true],
    ['off', false],
  ] as const)('with hairpin %s, a pod reaches itself by an address that leads to it: %s', async (_, hairpinMode) => {
    const { host } = await attached({ ...GATEWAY, hairpinMode })
    await host.listen('tcp', 80)
    const nat = (...rule: readonly string[]) => stage.run('iptables', '-t', 'nat', ...rule)
    await nat('-A', 'PREROUTING', '-d', '10.96.0.1', '-j', 'DNAT', '--to-destination', host.ip4)
    await nat('-A', 'POSTROUTING', '-s', host.ip4, '-d', host.ip4, '-j', 'MASQUERADE')
    await stage.run('sysctl', '-qw', 'net.bridge.bridge-nf-call-iptables=1')
    expect(
      await host.connect({ to: '10.96.0.1', port: 80, timeoutMs: hairpinMode ? SOON_MS : NEVER_MS }),
    ).toMatchObject({
      ok: hairpinMode,
    })
  })
})
