import assert from 'node:assert/strict'
import type { LinkVlan } from '#system/network/network.ts'
import { codeOf, type Ground } from './ground.ts'

// VLANs of ports and bridges, checked where the kernel has them: on this machine, or inside the emulated one.

const plain = (id: number): LinkVlan => ({ id, isUntagged: false, isPvid: false })
const pvid = (id: number): LinkVlan => ({ id, isUntagged: true, isPvid: true })

export type VlanCheck = (ground: Ground) => Promise<void>

export const VLAN_CHECKS: Readonly<Record<string, VlanCheck>> = {
  async 'are heeded by a bridge that is made so, or changed'(ground) {
    const { node } = ground
    await node.addBridge('cni0', { vlanFiltering: true })
    assert.equal((await node.link('cni0'))!.isVlanFiltering, true)
    await node.changeLink('cni0', { vlanFiltering: 'off' })
    assert.equal((await node.link('cni0'))!.isVlanFiltering, false)
    await node.changeLink('cni0', { vlanFiltering: 'on' })
    const [seen] = await ground.ip<Bridge>('node', 'link', 'show', 'dev', 'cni0')
    assert.equal(seen!.linkinfo.info_data.vlan_filtering, 1)
  },

  async 'of a port and of the bridge itself come and go'(ground) {
    const { node } = await withPort(ground)
    assert.deepEqual([await node.vlans('veth1'), await node.vlans('cni0')], [[pvid(1)], [pvid(1)]])
    await node.deleteVlans('veth1', [plain(1)])
    await node.addVlans('veth1', [pvid(100), plain(200)])
    await node.addVlans('cni0', [plain(100)])
    assert.deepEqual(await node.vlans('veth1'), [pvid(100), plain(200)])
    assert.deepEqual(await node.vlans('cni0'), [pvid(1), plain(100)])
    const seen = JSON.parse(await ground.run('node', 'bridge', '-json', 'vlan', 'show', 'dev', 'veth1'))
    assert.deepEqual(seen[0].vlans, [{ vlan: 100, flags: ['PVID', 'Egress Untagged'] }, { vlan: 200 }])
    await node.deleteVlans('cni0', [plain(100)])
    assert.deepEqual(await node.vlans('cni0'), [pvid(1)])
  },

  async 'of a trunk of many are taken in one change'(ground) {
    const { node } = await withPort(ground)
    const trunk = Array.from({ length: 3000 }, (_, i) => plain(i + 2))
    await node.addVlans('veth1', [...trunk, plain(4000), plain(4001)])
    assert.deepEqual(await node.vlans('veth1'), [pvid(1), ...trunk, plain(4000), plain(4001)])
    await node.deleteVlans('veth1', trunk)
    assert.deepEqual(await node.vlans('veth1'), [pvid(1), plain(4000), plain(4001)])
    await node.addVlans('veth1', [])
    await node.deleteVlans('veth1', [])
    assert.equal((await node.vlans('veth1')).length, 3)
  },

  async 'that do not exist are refused, and those that are not there are deleted all the same'(ground) {
    const { node } = await withPort(ground)
    assert.notEqual(await codeOf(node.addVlans('veth1', [plain(4095)])), 'done')
    await node.deleteVlans('veth1', [plain(77)])
    assert.deepEqual(await node.vlans('veth1'), [pvid(1)])
  },

  async 'have interfaces of their own'(ground) {
    const { node } = ground
    await node.addBridge('cni0', {})
    await node.addVlan('cni0.5', { parent: 'cni0', id: 5 })
    assert.equal((await node.link('cni0.5'))!.kind, 'vlan')
    const [seen] = await ground.ip<Vlan>('node', 'link', 'show', 'dev', 'cni0.5')
    assert.deepEqual([seen!.link, seen!.linkinfo.info_data.id], ['cni0', 5])
    assert.equal(await node.deleteLink('cni0.5'), true)
  },
}

interface Bridge {
  readonly linkinfo: { readonly info_data: { readonly vlan_filtering: number } }
}

interface Vlan {
  readonly link: string
  readonly linkinfo: { readonly info_data: { readonly id: number } }
}

async function withPort(ground: Ground): Promise<Ground> {
  await ground.node.addBridge('cni0', { vlanFiltering: true })
  await ground.node.addVeth({ name: 'veth1', master: 'cni0' }, { name: 'b' })
  return ground
}
