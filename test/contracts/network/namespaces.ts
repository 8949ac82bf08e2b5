import { describe, expect, test } from 'vitest'
import type { Networks } from '#system/network/network.ts'
import { newNamespace } from '../../kernel/namespace.ts'
import { codeOf, type Ground, pathOf } from './ground.ts'

export function namespaceCases(networks: () => Networks, at: () => Ground): void {
  describe('settings', () => {
    test('are those of the namespace, and of none beside it', async () => {
      const { node, pod } = at()
      const before = await pod.setting('ipv4/ip_forward')
      const other = before === '1' ? '0' : '1'
      await node.changeSetting('ipv4/ip_forward', before!)
      await pod.changeSetting('ipv4/ip_forward', other)
      expect([await node.setting('ipv4/ip_forward'), await pod.setting('ipv4/ip_forward')]).toEqual([before, other])
      expect((await at().run('pod', 'cat', '/proc/sys/net/ipv4/ip_forward')).trim()).toBe(other)
      expect((await at().run('node', 'cat', '/proc/sys/net/ipv4/ip_forward')).trim()).toBe(before)
    })

    test('of a link are there with it', async () => {
      const { node } = at()
      expect(await node.setting('ipv6/conf/a.b/accept_ra')).toBeUndefined()
      expect(await codeOf(node.changeSetting('ipv6/conf/a.b/accept_ra', '0'))).toBe('ENOENT')
      await node.addBridge('a.b', {})
      await node.changeSetting('ipv6/conf/a.b/accept_ra', '0')
      expect(await node.setting('ipv6/conf/a.b/accept_ra')).toBe('0')
    })

    test('outside of /proc/sys/net are none, and a value the kernel does not take is refused', async () => {
      const { node } = at()
      for (const path of [
        '../kernel/hostname',
        'ipv4/../../kernel/hostname',
        '',
        '/ipv4/ip_forward',
        'ipv4//ip_forward',
      ]) {
        expect([await codeOf(node.setting(path)), await codeOf(node.changeSetting(path, '1'))]).toEqual([
          'EINVAL',
          'EINVAL',
        ])
      }
      expect(await codeOf(node.changeSetting('ipv4/ip_forward', 'many'))).toBe('EINVAL')
    })
  })

  describe('namespaces', () => {
    test('one that is gone is refused, to be opened and as the other end of a veth', async () => {
      const namespace = await newNamespace('net-gone')
      await namespace.end()
      expect(await codeOf(networks().open(pathOf(namespace)))).toBe('ENOENT')
      const peer = { name: 'eth0', namespace: pathOf(namespace) }
      expect(await codeOf(at().node.addVeth({ name: 'veth1' }, peer))).toBe('ENOENT')
      expect(await at().node.link('veth1')).toBeUndefined()
    })

    test('a file that is no network namespace is refused', async () => {
      expect(await codeOf(networks().open('/etc/hostname'))).toBe('EINVAL')
      expect(await codeOf(networks().open('/proc/self/ns/uts'))).toBe('EINVAL')
      expect(await codeOf(at().node.addVeth({ name: 'veth1' }, { name: 'b', namespace: '/etc/hostname' }))).toBe(
        'EINVAL',
      )
    })

    test('a refusal says what was to be done, and why not', async () => {
      await at().node.addBridge('cni0', {})
      await expect(at().node.addBridge('cni0', {})).rejects.toThrow(/^cannot add bridge "cni0": .+ \(EEXIST\)$/)
      await expect(at().node.changeLink('veth1', { state: 'up' })).rejects.toThrow(
        'cannot change link "veth1": there is no link "veth1" (ENODEV)',
      )
      await expect(networks().open('/run/netns/never-was')).rejects.toThrow(
        'cannot open the network namespace /run/netns/never-was: it is gone, or never was (ENOENT)',
      )
    })

    test('the node’s own has no path', async () => {
      const own = await networks().open()
      expect((await own.link('lo'))!.index).toBe(1)
      expect(await own.setting('ipv4/ip_forward')).toMatch(/^[01]$/)
      own.close()
    })
  })
}
