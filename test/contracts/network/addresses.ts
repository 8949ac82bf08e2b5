import { describe, expect, test } from 'vitest'
import type { AddressWithPrefix } from '#system/network/network.ts'
import { codeOf, type Ground } from './ground.ts'

export function addressCases(at: () => Ground): void {
  const given = (address: string, prefixLength: number): AddressWithPrefix => ({
    address: at().address(address),
    prefixLength,
  })

  describe('addresses', () => {
    test('of both families come and go, with a broadcast address where IPv4 has one', async () => {
      const { pod } = at()
      await at().bridgeAndPod()
      const { index } = (await pod.link('eth0'))!
      await pod.addAddress('eth0', given('10.9.0.2', 24))
      await pod.addAddress('eth0', { ...given('fd00:9::2', 64), withoutDad: true })
      const mine = (await pod.addresses('eth0')).filter(({ scope }) => scope === 'global')
      const fields = { link: index, scope: 'global', isTentative: false, hasDadFailed: false }
      expect(mine).toEqual([
        { ...given('10.9.0.2', 24), ...fields },
        { ...given('fd00:9::2', 64), ...fields },
      ])
      const [seen] = await at().ip('pod', 'address', 'show', 'dev', 'eth0')
      expect(seen!.addr_info).toContainEqual(expect.objectContaining({ local: '10.9.0.2', broadcast: '10.9.0.255' }))
      expect(await pod.deleteAddress('eth0', given('10.9.0.2', 24))).toBe(true)
      expect(await pod.deleteAddress('eth0', given('fd00:9::2', 64))).toBe(true)
      expect((await pod.addresses('eth0')).filter(({ scope }) => scope === 'global')).toEqual([])
    })

    test('are listed for every link, or for one', async () => {
      const { pod } = at()
      await at().bridgeAndPod()
      await pod.changeLink('lo', { state: 'up' })
      await pod.addAddress('eth0', given('10.9.0.2', 31))
      const all = (await pod.addresses()).map(({ address, scope }) => `${address} ${scope}`)
      expect(all).toEqual(expect.arrayContaining(['127.0.0.1 host', '10.9.0.2 global']))
      expect((await pod.addresses('lo')).map(({ address }) => address)).toEqual(['127.0.0.1', '::1'])
      expect(await codeOf(pod.addresses('eth9'))).toBe('ENODEV')
    })

    test('an address is given once; one that is not there is not deleted', async () => {
      const { pod } = at()
      await at().bridgeAndPod()
      for (const one of [given('10.9.0.2', 24), given('fd00:9::2', 64)]) {
        await pod.addAddress('eth0', one)
        expect(await codeOf(pod.addAddress('eth0', one))).toBe('EEXIST')
      }
      expect(await pod.deleteAddress('eth0', given('10.9.0.3', 24))).toBe(false)
      expect(await pod.deleteAddress('eth0', given('fd00:9::3', 64))).toBe(false)
      expect(await codeOf(pod.addAddress('eth9', given('10.9.0.2', 24)))).toBe('ENODEV')
      expect(await codeOf(pod.deleteAddress('eth9', given('10.9.0.2', 24)))).toBe('ENODEV')
    })

    test('an IPv6 address is refused where IPv6 is off, and taken where it is on again', async () => {
      const { pod } = at()
      await at().bridgeAndPod()
      await pod.changeSetting('ipv6/conf/eth0/disable_ipv6', '1')
      expect(await codeOf(pod.addAddress('eth0', given('fd00:9::2', 64)))).toBe('EACCES')
      await pod.changeSetting('ipv6/conf/eth0/disable_ipv6', '0')
      expect(await codeOf(pod.addAddress('eth0', given('fd00:9::2', 64)))).toBe('done')
    })

    test('an IPv6 address is tentative while it is looked for, and failed where another has it', async () => {
      const { node, pod } = at()
      await at().bridgeAndPod()
      await node.addAddress('cni0', { ...given('fd00:9::2', 64), withoutDad: true })
      await pod.addAddress('eth0', given('fd00:9::2', 64))
      await pod.addAddress('eth0', given('fd00:9::3', 64))
      const states = async () =>
        (await pod.addresses('eth0'))
          .filter(({ scope }) => scope === 'global')
          .map(
            ({ address, isTentative, hasDadFailed }) =>
              `${address}${isTentative ? ' tentative' : ''}${hasDadFailed ? ' failed' : ''}`,
          )
          .sort()
      expect(await states()).toEqual(['fd00:9::2 tentative', 'fd00:9::3 tentative'])
      await expect.poll(states, { timeout: 10_000 }).toEqual(['fd00:9::2 tentative failed', 'fd00:9::3'])
    })
  })
}
