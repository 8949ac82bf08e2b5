import { describe, expect, test } from 'vitest'
import { codeOf, type Ground } from './ground.ts'

const MAC = '02:5a:00:00:00:01'
const OTHER_MAC = '02:5a:00:00:00:02'

export function neighbourCases(at: () => Ground): void {
  const neighbour = (address: string, mac = MAC) => ({ address: at().address(address), mac })
  const listed = async () =>
    (await at().node.neighbours.list('cni0')).map(({ address, mac }) => `${address} ${mac}`).sort()

  describe('neighbours', () => {
    test('of both families are set, replaced and deleted; none is no failure', async () => {
      await at().bridgeAndPod()
      const { neighbours } = at().node
      for (const one of ['10.244.2.0', 'fd00:244:2::']) await neighbours.set('cni0', neighbour(one))
      expect(await listed()).toEqual([`10.244.2.0 ${MAC}`, `fd00:244:2:: ${MAC}`])
      expect(await at().ip('node', 'neighbour', 'show', 'dev', 'cni0', 'to', '10.244.2.0')).toMatchObject([
        { lladdr: MAC, state: ['PERMANENT'] },
      ])
      await neighbours.set('cni0', neighbour('10.244.2.0', OTHER_MAC))
      expect(await listed()).toEqual([`10.244.2.0 ${OTHER_MAC}`, `fd00:244:2:: ${MAC}`])
      const deleted = () => neighbours.delete('cni0', neighbour('fd00:244:2::'))
      expect([await deleted(), await deleted()]).toEqual([true, false])
      expect(await listed()).toEqual([`10.244.2.0 ${OTHER_MAC}`])
    })

    test('that the kernel looks for, and those of other links, are not among them', async () => {
      await at().bridgeAndPod()
      await at().run('node', 'ip', 'neighbour', 'add', '10.244.9.9', 'lladdr', MAC, 'nud', 'reachable', 'dev', 'cni0')
      await at().node.neighbours.set('veth1', neighbour('10.244.2.0'))
      expect(await listed()).toEqual([])
    })

    test('of a link that is not there are refused, and so is what is no hardware address', async () => {
      const { neighbours } = at().node
      expect(await codeOf(neighbours.set('none', neighbour('10.244.2.0')))).toBe('ENODEV')
      expect(await codeOf(neighbours.list('none'))).toBe('ENODEV')
      expect(await codeOf(neighbours.tunnels('none'))).toBe('ENODEV')
      await at().bridgeAndPod()
      expect(await codeOf(neighbours.set('cni0', neighbour('10.244.2.0', '02:5a')))).toBe('EINVAL')
    })

    test('a link without tunnels has none', async () => {
      await at().bridgeAndPod()
      expect(await at().node.neighbours.tunnels('cni0')).toEqual([])
    })
  })
}
