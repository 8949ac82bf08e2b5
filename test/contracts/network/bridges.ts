import { describe, expect, test } from 'vitest'
import type { LinkVlan } from '#system/network/network.ts'
import { codeOf, type Ground } from './ground.ts'
import { VLAN_CHECKS } from './vlans.ts'

const VLAN: LinkVlan = { id: 5, isUntagged: false, isPvid: false }

export function bridgeCases(at: () => Ground): void {
  describe('ports of a bridge', () => {
    test('say their state, and take hairpin and isolation', async () => {
      const { node } = at()
      await at().bridgeAndPod()
      expect(await node.bridgePort('veth1')).toEqual({ state: 'forwarding', hasHairpin: false, isIsolated: false })
      await node.changeBridgePort('veth1', { hairpin: 'on', isolated: 'on' })
      expect(await node.bridgePort('veth1')).toEqual({ state: 'forwarding', hasHairpin: true, isIsolated: true })
      const [seen] = await at().ip('node', 'link', 'show', 'dev', 'veth1')
      expect(seen).toMatchObject({ linkinfo: { info_slave_data: { hairpin: true, isolated: true } } })
      await node.changeBridgePort('veth1', { hairpin: 'off' })
      expect(await node.bridgePort('veth1')).toMatchObject({ hasHairpin: false, isIsolated: true })
      await node.changeLink('veth1', { state: 'down' })
      expect((await node.bridgePort('veth1'))!.state).toBe('disabled')
    })

    test('are none where a link is in no bridge', async () => {
      const { node } = at()
      await node.addVeth({ name: 'veth1' }, { name: 'b' })
      expect([await node.bridgePort('veth1'), await node.bridgePort('veth2')]).toEqual([undefined, undefined])
      expect(await codeOf(node.changeBridgePort('veth1', { hairpin: 'on' }))).toBe('ENOTSUP')
      expect(await codeOf(node.changeBridgePort('veth2', { hairpin: 'on' }))).toBe('ENODEV')
    })
  })

  describe('VLANs', () => {
    test('are refused where there is no link, or it is no port', async () => {
      const { node } = at()
      await node.addVeth({ name: 'veth1' }, { name: 'b' })
      expect(await codeOf(node.addVlans('veth2', [VLAN]))).toBe('ENODEV')
      expect(await codeOf(node.vlans('veth2'))).toBe('ENODEV')
      expect(await codeOf(node.addVlans('veth1', [VLAN]))).toBe('ENOTSUP')
      expect(await node.vlans('veth1')).toEqual([])
    })

    // A kernel without VLANs of that kind says so, and nothing else goes wrong; the emulated machine has one that does.
    test.each(Object.entries(VLAN_CHECKS))('%s, or the kernel refuses', async (_, check) => {
      const code = await codeOf(check(at()))
      expect(['done', 'ENOTSUP']).toContain(code)
    })
  })
}
