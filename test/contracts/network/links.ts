import { describe, expect, test } from 'vitest'
import { codeOf, type Ground } from './ground.ts'

export function linkCases(at: () => Ground): void {
  describe('links', () => {
    test('are listed with what the kernel knows of them, and found by name', async () => {
      const { node } = at()
      const lo = { index: 1, name: 'lo', kind: '', mac: '00:00:00:00:00:00', mtu: 65536, isUp: false }
      expect(await node.links()).toEqual([{ ...lo, operState: 'down', isPromiscuous: false }])
      expect(await node.link('lo')).toEqual((await node.links())[0])
      expect(await node.link('cni0')).toBeUndefined()
    })

    test('are all listed, however many there are', async () => {
      const names = Array.from({ length: 150 }, (_, i) => `veth${i}`)
      await at().run(
        'node',
        'sh',
        '-c',
        names.map(name => `ip link add ${name} type veth peer name p${name}`).join('\n'),
      )
      const listed = (await at().node.links()).map(({ name }) => name)
      expect(listed.toSorted()).toEqual(['lo', ...names, ...names.map(name => `p${name}`)].toSorted())
    })

    test('a bridge is made with its MTU, once', async () => {
      const { node } = at()
      await node.addBridge('cni0', { mtu: 1400 })
      expect(await node.link('cni0')).toMatchObject({ kind: 'bridge', mtu: 1400, isUp: false, isVlanFiltering: false })
      expect((await at().ip('node', 'link', 'show', 'dev', 'cni0'))[0]).toMatchObject({ mtu: 1400 })
      expect(await codeOf(node.addBridge('cni0', {}))).toBe('EEXIST')
    })

    test('a bridge keeps the hardware address it was made with, whatever those of its ports are', async () => {
      const { node } = at()
      const mac = 'fe:58:0a:f4:00:09'
      await node.addBridge('cni0', { mac })
      expect(await node.link('cni0')).toMatchObject({ mac })
      await node.addVeth({ name: 'veth1', mac: '02:00:00:00:00:01', master: 'cni0', state: 'up' }, { name: 'b' })
      expect(await node.link('cni0')).toMatchObject({ mac })
      expect(await codeOf(node.addBridge('cni1', { mac: '0a:58' }))).toBe('EINVAL')
    })

    test('a veth pair has each end in its namespace, the near one in its bridge and up at once', async () => {
      const { node, pod, podPath } = at()
      await node.addBridge('cni0', {})
      const near = { name: 'veth1', mtu: 1300, mac: '0a:58:0a:f4:00:01', master: 'cni0', state: 'up' } as const
      await node.addVeth(near, { name: 'eth0', mtu: 1300, mac: '0a:58:0a:f4:00:02', namespace: podPath })
      const [bridge, here, there] = [await node.link('cni0'), await node.link('veth1'), await pod.link('eth0')]
      expect(here).toMatchObject({ kind: 'veth', mac: near.mac, mtu: 1300, isUp: true, master: bridge!.index })
      expect(there).toMatchObject({ kind: 'veth', mac: '0a:58:0a:f4:00:02', mtu: 1300, isUp: false })
      expect([here!.peer, there!.peer]).toEqual([there!.index, here!.index])
      expect((await at().ip('pod', 'link', 'show', 'dev', 'eth0'))[0]).toMatchObject({ mtu: 1300 })
    })

    test('a veth pair may have both ends here', async () => {
      const { node } = at()
      await node.addVeth({ name: 'a' }, { name: 'b' })
      const [a, b] = [await node.link('a'), await node.link('b')]
      expect([a!.peer, b!.peer]).toEqual([b!.index, a!.index])
    })

    test('of a veth pair whose far name is taken, nothing is made', async () => {
      const { node, pod, podPath } = at()
      await node.addVeth({ name: 'veth1' }, { name: 'eth0', namespace: podPath })
      expect(await codeOf(node.addVeth({ name: 'veth2' }, { name: 'eth0', namespace: podPath }))).toBe('EEXIST')
      expect(await codeOf(node.addVeth({ name: 'veth1' }, { name: 'eth1', namespace: podPath }))).toBe('EEXIST')
      expect((await node.links()).map(({ name }) => name).sort()).toEqual(['lo', 'veth1'])
      expect((await pod.links()).map(({ name }) => name).sort()).toEqual(['eth0', 'lo'])
    })

    test('a link changes its state, MTU, MAC, promiscuity, bridge and name', async () => {
      const { node } = at()
      await at().bridgeAndPod()
      await node.changeLink('veth1', { state: 'down', mtu: 1280, mac: '02:00:00:00:00:99' })
      expect(await node.link('veth1')).toMatchObject({ isUp: false, mtu: 1280, mac: '02:00:00:00:00:99' })
      await node.changeLink('veth1', { master: null, promiscuous: 'on' })
      const alone = await node.link('veth1')
      expect([alone!.isPromiscuous, alone!.master]).toEqual([true, undefined])
      await node.changeLink('veth1', { promiscuous: 'off', name: 'veth9' })
      expect([await node.link('veth1'), (await node.link('veth9'))!.isPromiscuous]).toEqual([undefined, false])
      await node.changeLink('veth9', { master: 'cni0' })
      expect((await node.link('veth9'))!.master).toBe((await node.link('cni0'))!.index)
    })

    test('a link has an alias as it was given', async () => {
      const { node } = at()
      await at().bridgeAndPod()
      const alias = '8e48f37d5de60467-cf2c652ba1942745, net: net1, if: eth0, id: c1'
      await node.changeLink('veth1', { alias })
      expect([(await node.link('veth1'))!.alias, (await node.link('cni0'))!.alias]).toEqual([alias, undefined])
      expect(await at().ip('node', 'link', 'show', 'dev', 'veth1')).toMatchObject([{ ifalias: alias }])
    })

    test('a link is up when both ends are', async () => {
      const { node } = at()
      await at().bridgeAndPod()
      expect(await node.link('veth1')).toMatchObject({ isUp: true, operState: 'up' })
    })

    test('a deleted link is gone, with its other end, and its name is free at once', async () => {
      const { node, pod } = at()
      await at().bridgeAndPod()
      expect(await pod.deleteLink('eth0')).toBe(true)
      expect([await node.link('veth1'), await pod.link('eth0')]).toEqual([undefined, undefined])
      expect(await at().ip('pod', 'link', 'show', 'type', 'veth')).toEqual([])
      const peer = { name: 'eth0', namespace: at().podPath }
      for (let round = 0; round < 5; round++) {
        await node.addVeth({ name: 'veth1', master: 'cni0' }, peer)
        expect(await node.deleteLink('veth1')).toBe(true)
      }
      expect(await pod.link('eth0')).toBeUndefined()
    })

    test('several links are deleted side by side', async () => {
      const { node } = at()
      const names = Array.from({ length: 6 }, (_, i) => `veth${i}`)
      for (const name of names)
        await node
          .addVeth({ name }, { name: 'eth0', namespace: at().podPath })
          .then(() => at().pod.changeLink('eth0', { name: `p${name}` }))
      expect(await Promise.all(names.map(name => node.deleteLink(name)))).toEqual(names.map(() => true))
      expect((await node.links()).map(({ name }) => name)).toEqual(['lo'])
    })

    test('deleting what is not there is no failure, and what may not be deleted is refused', async () => {
      const { node } = at()
      expect(await node.deleteLink('veth1')).toBe(false)
      expect(await node.deleteLink('a-name-that-is-longer-than-any')).toBe(false)
      expect(await codeOf(node.deleteLink('lo'))).toBe('ENOTSUP')
      expect(await node.link('lo')).toBeDefined()
    })

    test('a change of what is not there is refused', async () => {
      const { node } = at()
      expect(await codeOf(node.changeLink('veth1', { state: 'up' }))).toBe('ENODEV')
      expect(await codeOf(node.addVlan('vlan5', { parent: 'veth1', id: 5 }))).toBe('ENODEV')
      await node.addBridge('cni0', {})
      expect(await codeOf(node.changeLink('cni0', { master: 'cni9' }))).toBe('ENODEV')
      expect(await codeOf(node.addVeth({ name: 'veth1', master: 'cni9' }, { name: 'b' }))).toBe('ENODEV')
      expect(await node.link('veth1')).toBeUndefined()
    })

    test('what the kernel does not take is refused in its word', async () => {
      const { node } = at()
      await node.addBridge('cni0', {})
      expect(await codeOf(node.changeLink('cni0', { mtu: 1 }))).toBe('EINVAL')
      expect(await codeOf(node.changeLink('lo', { master: 'cni0' }))).toBe('EINVAL')
      expect(await codeOf(node.changeLink('lo', { vlanFiltering: 'on' }))).toBe('ENOTSUP')
      for (const mac of ['0a:58', 'netns', '0a:58:0a:f4:00:zz']) {
        expect(await codeOf(node.changeLink('cni0', { mac }))).toBe('EINVAL')
        expect(await codeOf(node.addVeth({ name: 'veth1' }, { name: 'b', mac }))).toBe('EINVAL')
      }
      expect(await node.link('veth1')).toBeUndefined()
    })
  })
}
