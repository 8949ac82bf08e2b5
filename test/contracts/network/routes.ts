import { describe, expect, test } from 'vitest'
import type { NetworkRoute } from '#system/network/network.ts'
import { codeOf, type Ground } from './ground.ts'

export function routeCases(at: () => Ground): void {
  const via = (destination: string, gateway: string): NetworkRoute => ({
    destination: at().cidr(destination),
    gateway: at().address(gateway),
  })
  const connected = async (): Promise<Ground> => {
    const ground = at()
    await ground.bridgeAndPod()
    await ground.pod.addAddress('eth0', { address: ground.address('10.9.0.2'), prefixLength: 24 })
    await ground.pod.addAddress('eth0', { address: ground.address('fd00:9::2'), prefixLength: 64, withoutDad: true })
    return ground
  }
  const to = async (destination: string, family: 'ipv4' | 'ipv6' = 'ipv4') =>
    (await at().pod.routes(family)).filter(route => route.destination === destination)

  describe('routes', () => {
    test('to networks on the link come with addresses, and are listed with what the kernel gave them', async () => {
      await connected()
      expect(await to('10.9.0.0/24')).toEqual([
        {
          destination: '10.9.0.0/24',
          link: 'eth0',
          source: '10.9.0.2',
          scope: 253,
          table: 254,
          priority: 0,
          protocol: 2,
        },
      ])
      expect(await to('fd00:9::/64', 'ipv6')).toEqual([
        { destination: 'fd00:9::/64', link: 'eth0', scope: 0, table: 254, priority: 256, protocol: 2 },
      ])
    })

    test('default routes of both families, by their gateways', async () => {
      const { pod } = await connected()
      await pod.addRoute({ ...via('0.0.0.0/0', '10.9.0.1'), link: 'eth0' })
      await pod.addRoute(via('::/0', 'fd00:9::1'))
      expect(await to('0.0.0.0/0')).toEqual([
        { destination: '0.0.0.0/0', gateway: '10.9.0.1', link: 'eth0', scope: 0, table: 254, priority: 0, protocol: 3 },
      ])
      expect(await to('::/0', 'ipv6')).toEqual([
        { destination: '::/0', gateway: 'fd00:9::1', link: 'eth0', scope: 0, table: 254, priority: 1024, protocol: 3 },
      ])
      expect((await at().ip('pod', 'route', 'show', 'default'))[0]).toMatchObject({ gateway: '10.9.0.1', dev: 'eth0' })
    })

    test('with MTU, MSS, priority, table, scope and source', async () => {
      const { pod } = await connected()
      const source = at().address('10.9.0.2')
      const full = { ...via('192.0.2.0/24', '10.9.0.1'), mtu: 1400, advmss: 1360, priority: 50, table: 1000, source }
      await pod.addRoute({ ...full, link: 'eth0' })
      expect(await to('192.0.2.0/24')).toEqual([{ ...full, link: 'eth0', scope: 0, protocol: 3 }])
      await pod.addRoute({ destination: at().cidr('198.51.100.0/24'), link: 'eth0', scope: 254 })
      expect((await to('198.51.100.0/24'))[0]!.scope).toBe(254)
      const six = { ...via('2001:db8::/32', 'fd00:9::1'), mtu: 1400, priority: 7 }
      await pod.addRoute(six)
      expect(await to('2001:db8::/32', 'ipv6')).toEqual([{ ...six, link: 'eth0', table: 254, scope: 0, protocol: 3 }])
      const [seen] = await at().ip('pod', 'route', 'show', 'table', '1000')
      expect(seen).toMatchObject({ metrics: [{ mtu: 1400, advmss: 1360 }], metric: 50, prefsrc: '10.9.0.2' })
    })

    test('without a gateway lead straight to their link, and gateways may lie behind them', async () => {
      const { pod } = await connected()
      await pod.addRoute({ destination: at().cidr('169.254.1.1/32'), link: 'eth0' })
      expect((await to('169.254.1.1/32'))[0]!.scope).toBe(253)
      await pod.addRoute(via('192.0.2.0/24', '169.254.1.1'))
      expect(await to('192.0.2.0/24')).toMatchObject([{ gateway: '169.254.1.1', link: 'eth0' }])
    })

    test('a further one to the same destination is a second one behind the first', async () => {
      const { pod } = await connected()
      for (const gateway of ['10.9.0.1', '10.9.0.7']) await pod.addRoute(via('192.0.2.0/24', gateway))
      for (const gateway of ['fd00:9::1', 'fd00:9::7']) await pod.addRoute(via('2001:db8::/32', gateway))
      expect((await to('192.0.2.0/24')).map(({ gateway }) => gateway)).toEqual(['10.9.0.1', '10.9.0.7'])
      expect((await to('2001:db8::/32', 'ipv6')).map(({ gateway }) => gateway)).toEqual(['fd00:9::1', 'fd00:9::7'])
      expect(await codeOf(pod.addRoute(via('192.0.2.0/24', '10.9.0.1')))).toBe('EEXIST')
    })

    test('of several next hops that others have made are listed once for each', async () => {
      await connected()
      await at().run(
        'pod',
        'ip',
        'route',
        'add',
        '192.0.2.0/24',
        'nexthop',
        'via',
        '10.9.0.1',
        'nexthop',
        'via',
        '10.9.0.7',
      )
      expect((await to('192.0.2.0/24')).map(({ gateway, link }) => `${gateway} ${link}`)).toEqual([
        '10.9.0.1 eth0',
        '10.9.0.7 eth0',
      ])
    })

    test('that discard are not among them, and neither are those of the local table', async () => {
      await connected()
      await at().run('pod', 'ip', 'route', 'add', 'blackhole', '192.0.2.0/24')
      expect((await at().pod.routes('ipv4')).map(({ destination }) => destination)).toEqual(['10.9.0.0/24'])
      const six = (await at().pod.routes('ipv6')).map(({ destination }) => destination)
      expect(six.filter(one => one !== 'fe80::/64')).toEqual(['fd00:9::/64'])
    })

    test('are deleted by what is named of them; none is no failure', async () => {
      const { pod } = await connected()
      const route = { ...via('192.0.2.0/24', '10.9.0.1'), priority: 50, table: 1000 }
      await pod.addRoute(route)
      expect(await pod.deleteRoute({ ...route, gateway: at().address('10.9.0.9') })).toBe(false)
      expect(await pod.deleteRoute({ destination: route.destination, table: 1000 })).toBe(true)
      expect(await pod.deleteRoute({ destination: route.destination, table: 1000 })).toBe(false)
      await pod.addRoute(via('::/0', 'fd00:9::1'))
      expect([
        await pod.deleteRoute(via('::/0', 'fd00:9::1')),
        await pod.deleteRoute(via('::/0', 'fd00:9::1')),
      ]).toEqual([true, false])
    })

    test('have the number of the program that made them, and are deleted by it', async () => {
      const { pod } = await connected()
      await at().run('pod', 'ip', 'route', 'add', '192.0.2.0/24', 'via', '10.9.0.1', 'proto', 'static')
      await at().run(
        'pod',
        'ip',
        'route',
        'add',
        '2001:db8::/32',
        'via',
        'fd00:9::1',
        'proto',
        'static',
        'metric',
        '50',
      )
      const [four, six] = [via('192.0.2.0/24', '10.9.0.7'), via('2001:db8::/32', 'fd00:9::7')]
      for (const route of [four, six]) await pod.addRoute({ ...route, protocol: 115 })
      const protocols = async () =>
        [...(await to('192.0.2.0/24')), ...(await to('2001:db8::/32', 'ipv6'))].map(({ protocol }) => protocol)
      expect(await protocols()).toEqual([4, 115, 4, 115])
      for (const { destination } of [four, six]) {
        expect(await pod.deleteRoute({ destination, protocol: 115 })).toBe(true)
        expect(await pod.deleteRoute({ destination, protocol: 115 })).toBe(false)
      }
      expect(await protocols()).toEqual([4, 4])
    })

    test('by gateways that are on the link because the route says so', async () => {
      const { pod } = await connected()
      for (const [destination, gateway, family] of [
        ['10.244.2.0/24', '10.244.2.0', 'ipv4'],
        ['fd00:244:2::/64', 'fd00:244:2::', 'ipv6'],
      ] as const) {
        const route = { ...via(destination, gateway), link: 'eth0', protocol: 115, isOnLink: true }
        expect(await codeOf(pod.addRoute({ ...route, isOnLink: false }))).toMatch(/UNREACH$/)
        await pod.addRoute(route)
        expect(await to(destination, family)).toMatchObject([route])
        expect(await pod.deleteRoute(route)).toBe(true)
      }
    })

    test('that lead nowhere are refused', async () => {
      const { pod } = await connected()
      expect(await codeOf(pod.addRoute(via('192.0.2.0/24', '203.0.113.1')))).toBe('ENETUNREACH')
      expect(await codeOf(pod.addRoute({ destination: at().cidr('192.0.2.0/24'), link: 'eth9' }))).toBe('ENODEV')
      expect(await codeOf(pod.deleteRoute({ destination: at().cidr('192.0.2.0/24'), link: 'eth9' }))).toBe('ENODEV')
    })
  })
}
