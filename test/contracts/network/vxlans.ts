import assert from 'node:assert/strict'
import { codeOf, type Ground } from './ground.ts'

// What Networks promise of VXLAN links, for kernels that have them: each check on a ground of its own.

const MAC = '02:5a:00:00:00:01'
const [FIRST, SECOND] = ['02:5a:00:00:00:02', '02:5a:00:00:00:03']

export const VXLAN_CHECKS: Readonly<Record<string, (ground: Ground) => Promise<void>>> = {
  'a VXLAN is made with all that is said of it, of either family, once': async ground => {
    const { node } = ground
    const [four, six] = [
      { vni: 1, port: 8472, local: ground.address('192.0.2.1'), mac: MAC, mtu: 1450 },
      { vni: 2, port: 4789, local: ground.address('2001:db8::1'), mac: MAC, mtu: 1430 },
    ]
    await node.addVxlan('sy.1', four)
    await node.addVxlan('sy.2', six)
    const { vni, port, local } = four
    const { kind, mac, mtu, vxlan } = (await node.link('sy.1'))!
    assert.deepEqual([kind, mac, mtu, vxlan], ['vxlan', MAC, 1450, { vni, port, local }])
    assert.deepEqual((await node.link('sy.2'))!.vxlan, { vni: 2, port: 4789, local: six.local })
    const [seen] = await ground.ip<SeenVxlan>('node', 'link', 'show', 'dev', 'sy.1')
    const { id, learning, ...rest } = seen!.linkinfo.info_data
    assert.deepEqual([id, rest.port, rest.local, learning], [1, 8472, '192.0.2.1', false])
    assert.equal(await codeOf(node.addVxlan('sy.1', four)), 'EEXIST')
    await node.addVxlan('sy.3', { vni: 3, port: 8472, mac: MAC, mtu: 1450 })
    assert.deepEqual((await node.link('sy.3'))!.vxlan, { vni: 3, port: 8472 })
  },
  'its tunnels are set, replaced, listed and deleted; none is no failure': async ground => {
    const { neighbours } = ground.node
    await ground.node.addVxlan('sy.1', { vni: 1, port: 8472, local: ground.address('192.0.2.1'), mac: MAC, mtu: 1450 })
    const tunnel = (mac: string, host: string) => ({ mac, host: ground.address(host) })
    const listed = async () => (await neighbours.tunnels('sy.1')).map(({ mac, host }) => `${mac} ${host}`).sort()
    await neighbours.setTunnel('sy.1', tunnel(FIRST, '192.0.2.2'))
    await neighbours.setTunnel('sy.1', tunnel(SECOND, '192.0.2.3'))
    await neighbours.setTunnel('sy.1', tunnel(FIRST, '192.0.2.9'))
    assert.deepEqual(await listed(), [`${FIRST} 192.0.2.9`, `${SECOND} 192.0.2.3`])
    const said = await ground.run('node', 'bridge', 'fdb', 'show', 'dev', 'sy.1')
    assert.ok(said.includes(`${FIRST} dst 192.0.2.9 self permanent`), said)
    const deleted = () => neighbours.deleteTunnel('sy.1', tunnel(SECOND, '192.0.2.3'))
    assert.deepEqual([await deleted(), await deleted()], [true, false])
    assert.deepEqual(await listed(), [`${FIRST} 192.0.2.9`])
    assert.equal(await codeOf(neighbours.setTunnel('sy.1', tunnel('zz', '192.0.2.9'))), 'EINVAL')
  },
  'the entry for all other frames, and tunnels of other links, are not among them': async ground => {
    await ground.node.addVxlan('sy.1', { vni: 1, port: 8472, local: ground.address('192.0.2.1'), mac: MAC, mtu: 1450 })
    await ground.node.addVxlan('sy.2', { vni: 2, port: 8472, local: ground.address('192.0.2.1'), mac: MAC, mtu: 1450 })
    await ground.node.neighbours.setTunnel('sy.2', { mac: FIRST, host: ground.address('192.0.2.2') })
    await ground.run('node', 'bridge', 'fdb', 'append', '00:00:00:00:00:00', 'dev', 'sy.1', 'dst', '192.0.2.7')
    assert.deepEqual(await ground.node.neighbours.tunnels('sy.1'), [])
  },
}

interface SeenVxlan {
  readonly linkinfo: {
    readonly info_data: {
      readonly id: number
      readonly port: number
      readonly local: string
      readonly learning: boolean
    }
  }
}
