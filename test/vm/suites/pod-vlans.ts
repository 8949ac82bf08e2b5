import assert from 'node:assert/strict'
import type { JsonObject } from '#cni/protocol/request.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import type { Pod } from '../../kernel/pods/bridge-pod.ts'
import { BridgeStage } from '../../kernel/pods/bridge-stage.ts'
import { suite } from '../suite.ts'

// VLANs of a bridge and its pods, which the kernels of many build machines do not have. Each check has a node of its own.

const IPAM: JsonObject = { type: 'host-local', subnet: '10.66.0.0/24' }
/** A frame that is not carried is waited for no longer than this, also where the machine is slow. */
const SILENCE_MS = 1500

const CHECKS: Readonly<Record<string, (stage: BridgeStage) => Promise<void>>> = {
  async 'pods of one VLAN reach each other, and none of another'(stage) {
    const [one, two] = [
      await attached(stage, { vlan: 100, ipam: IPAM }),
      await attached(stage, { vlan: 100, ipam: IPAM }),
    ]
    const [other, none] = [await attached(stage, { vlan: 200, ipam: IPAM }), await attached(stage, { ipam: IPAM })]
    for (const { host } of [two, other, none]) await host.listen('tcp', 80)
    assert.equal(await ends(one, two), two.pod.container)
    assert.match(await ends(one, other), /timeout|unreachable/)
    assert.match(await ends(one, none), /timeout|unreachable/)
  },

  async 'a VLAN has a gateway of its own, through which its pods leave the node'(stage) {
    const outside = await stage.addOutside()
    await outside.listen('tcp', 80)
    const routes = [{ dst: '0.0.0.0/0' }]
    const config = { vlan: 100, isGateway: true, ipMasq: true, ipam: { ...IPAM, routes } }
    const [one, two] = [await attached(stage, config), await attached(stage, config)]
    assert.deepEqual(
      one.result.interfaces.map(({ name }) => name.replace(/^veth.*/, 'veth')),
      ['cni0', 'veth', 'eth0', 'cni0.100'],
    )
    for (const { host } of [one, two]) {
      const outcome = await host.connect({ to: outside.ip4, port: 80, timeoutMs: 10_000 })
      assert.equal(outcome.ok && outcome.answer.peer.address, '203.0.113.1')
    }
    await stage.call('CHECK', one.pod, { config, previous: one.result })
  },

  async 'a trunk carries its VLANs with tags, and VLAN 1 without'(stage) {
    const config = { vlanTrunk: [{ minID: 100, maxID: 102 }, { id: 110 }] }
    const trunk = await attached(stage, config)
    assert.deepEqual(await vlansOf(stage, trunk.result), ['1 PVID Egress Untagged', '100', '101', '102', '110'])
    const tagged = await attached(stage, { vlan: 101, ipam: IPAM })
    await tagged.host.listen('tcp', 80)
    await trunk.pod.run('ip', 'link', 'add', 'link', 'eth0', 'name', 'eth0.101', 'type', 'vlan', 'id', '101')
    await trunk.pod.run('ip', 'address', 'add', '10.66.0.200/24', 'dev', 'eth0.101')
    await trunk.pod.run('ip', 'link', 'set', 'eth0.101', 'up')
    assert.equal(await ends(trunk, tagged), tagged.pod.container)
    await stage.call('CHECK', trunk.pod, { config, previous: trunk.result })
  },

  async 'the default VLAN stays, unless that is not wanted'(stage) {
    const { result } = await attached(stage, { vlan: 100, ipam: IPAM })
    assert.deepEqual(await vlansOf(stage, result), ['1 Egress Untagged', '100 PVID Egress Untagged'])
  },

  async 'a bridge without VLANs learns them with the first pod that has one'(stage) {
    await attached(stage, { ipam: IPAM })
    const { result } = await attached(stage, { vlan: 100, preserveDefaultVlan: false, ipam: IPAM })
    assert.deepEqual(await vlansOf(stage, result), ['100 PVID Egress Untagged'])
    assert.match(await stage.run('ip', '-d', 'link', 'show', 'cni0'), /vlan_filtering 1/)
  },

  async 'CHECK finds a VLAN that is missing'(stage) {
    const config = { vlan: 100, ipam: IPAM }
    const { pod, result } = await attached(stage, config)
    await stage.call('CHECK', pod, { config, previous: result })
    const port = result.interfaces[1]!.name
    await stage.run('bridge', 'vlan', 'delete', 'dev', port, 'vid', '100')
    await assert.rejects(
      stage.call('CHECK', pod, { config, previous: result }),
      new RegExp(`bridge port ${port} is not in VLAN 100 without tag`),
    )
  },

  async 'a port is in the VLANs in which Debian’s plugin puts it'(stage) {
    const config = { vlan: 100, isGateway: true, ipam: IPAM }
    const ours = await attached(stage, config)
    const pod = await stage.addPod()
    const theirs = (await stage.reference('ADD', pod, {
      config: { ...config, bridge: 'cni1', ipam: { ...IPAM, subnet: '10.67.0.0/24' } },
    }))!
    assert.deepEqual(await vlansOf(stage, ours.result), await vlansOf(stage, theirs))
    // The other way round: what it made for a VLAN is used as it is.
    await attached(stage, {
      ...config,
      bridge: 'cni1',
      ipam: { ...IPAM, subnet: '10.67.0.0/24', rangeStart: '10.67.0.50' },
    })
  },
}

export const podVlans = suite('VLANs of pods', {
  open: async () => undefined,
  close: async () => {},
  checks: Object.fromEntries(Object.entries(CHECKS).map(([title, check]) => [title, () => withNode(check)])),
})

async function withNode(check: (stage: BridgeStage) => Promise<void>): Promise<void> {
  const stage = await BridgeStage.open()
  try {
    await check(stage)
  } finally {
    await stage.end()
  }
}

async function attached(stage: BridgeStage, config: JsonObject) {
  const pod = await stage.addPod()
  const result = await stage.call('ADD', pod, { config })
  return { pod, result, host: pod.host(result) }
}

interface Ended {
  readonly pod: Pod
  readonly host: ReturnType<Pod['host']>
}

/** Which pod answers, or why none does. */
async function ends(from: Ended, to: Ended): Promise<string> {
  const outcome = await from.host.connect({ to: to.host.ip4, port: 80, timeoutMs: SILENCE_MS })
  return outcome.ok ? outcome.answer.name : outcome.error
}

/** `100 PVID Egress Untagged` */
async function vlansOf(stage: BridgeStage, { interfaces }: CniResult): Promise<readonly string[]> {
  const listed = JSON.parse(await stage.run('bridge', '-j', 'vlan', 'show', 'dev', interfaces[1]!.name)) as readonly {
    readonly vlans: readonly { readonly vlan: number; readonly flags?: readonly string[] }[]
  }[]
  return listed[0]!.vlans.map(({ vlan, flags = [] }) => [vlan, ...flags].join(' '))
}
