import { describe, expect, test } from 'vitest'
import { codeOf, type Ground } from './ground.ts'

// Names come from configurations and from runtimes: they are names, whatever they look like.

const ODD = [
  '-d',
  '--help',
  'dev',
  'up',
  'type',
  'default.',
  'a@b',
  '$(id)',
  "it's",
  'a;b',
  '"q"',
  '*',
  'grün',
  'vlan',
  '-4',
]

export function nameCases(at: () => Ground): void {
  describe('names', () => {
    test.each(ODD)('%s is a name like any other', async name => {
      const { node } = at()
      await node.addBridge(name, {})
      await node.changeLink(name, { state: 'up', mtu: 1400 })
      await node.addAddress(name, { address: at().address('10.9.0.1'), prefixLength: 24 })
      expect(await node.link(name)).toMatchObject({ name, mtu: 1400, isUp: true })
      expect((await node.addresses(name)).map(({ address }) => address)).toContain('10.9.0.1')
      await node.addVeth({ name: 'veth1', master: name }, { name: 'b' })
      expect((await node.link('veth1'))!.master).toBe((await node.link(name))!.index)
      expect(await node.deleteLink(name)).toBe(true)
      expect((await node.links()).map(one => one.name).sort()).toEqual(['b', 'lo', 'veth1'])
    })

    test('a veth’s ends may have odd names', async () => {
      const { node, pod, podPath } = at()
      await node.addVeth({ name: '-d' }, { name: '--help', namespace: podPath })
      expect([(await node.link('-d'))!.kind, (await pod.link('--help'))!.kind]).toEqual(['veth', 'veth'])
    })

    test.each(['a-name-of-16-byt', 'grüngrüngrüng', '', '.', '..', 'a/b', 'a:b', 'a b', 'a\nb', 'veth%d'])(
      '%j is refused',
      async name => {
        const { node } = at()
        expect(await codeOf(node.addBridge(name, {}))).toBe('EINVAL')
        expect(await codeOf(node.addVeth({ name: 'veth1' }, { name }))).toBe('EINVAL')
        expect(await codeOf(node.addVeth({ name }, { name: 'veth1' }))).toBe('EINVAL')
        expect([await node.link(name), await node.deleteLink(name)]).toEqual([undefined, false])
        expect(await codeOf(node.changeLink(name, { state: 'up' }))).toBe('ENODEV')
        expect(await codeOf(node.changeLink('lo', { name }))).toBe('EINVAL')
        expect((await node.links()).map(one => one.name)).toEqual(['lo'])
      },
    )

    test('a link’s number is no name of it', async () => {
      const { node } = at()
      await node.addBridge('cni0', {})
      const { index } = (await node.link('cni0'))!
      const [number, word] = [String(index), `if${index}`]
      for (const name of [number, word]) {
        expect([await node.link(name), await node.deleteLink(name)]).toEqual([undefined, false])
        expect(await codeOf(node.changeLink(name, { mtu: 1400 }))).toBe('ENODEV')
        expect(await codeOf(node.addVeth({ name: 'veth1', master: name }, { name: 'b' }))).toBe('ENODEV')
      }
      expect((await node.link('cni0'))!.mtu).toBe(1500)
    })
  })
}
