import { describe, expect, test } from 'vitest'
import { DUAL, PaperNode, SMALL } from './node.ts'

describe('an address that is asked for', () => {
  const ask = { config: { runtimeConfig: { ips: ['10.9.0.5/29'] } } }

  test.each([
    ['CNI_ARGS', { env: { CNI_ARGS: 'IP=10.9.0.5' } }],
    ['args.cni.ips', { config: { args: { cni: { ips: ['10.9.0.5'] } } } }],
    ['runtimeConfig.ips', ask],
  ])('comes by %s', async (_, asked) => {
    const node = new PaperNode()
    expect(await node.add('c1', asked)).toBe('10.9.0.5/29')
    expect(await node.add('c2')).toBe('10.9.0.6/29')
  })

  test('in two places, or in another spelling, is the same address', async () => {
    const node = new PaperNode()
    const config = { args: { cni: { ips: ['FD00:9::0009/64'] } }, runtimeConfig: { ips: ['fd00:9:0:0::9'] } }
    const asked = { ipam: DUAL, config, env: { CNI_ARGS: 'IP=fd00:9::9' } }
    expect(await node.add('c1', asked)).toBe('10.9.0.2/29 fd00:9::9/64')
  })

  test('as nothing at all is none', async () => {
    const node = new PaperNode()
    const config = { args: { cni: { ips: [] } }, runtimeConfig: { ips: null } }
    expect(await node.add('c1', { config, env: { CNI_ARGS: 'IP=' } })).toBe('10.9.0.2/29')
  })

  test('may be of one set, while the other gives its next one', async () => {
    const node = new PaperNode()
    const env = { CNI_ARGS: 'IP=fd00:9::77' }
    expect(await node.add('c1', { ipam: DUAL, env })).toBe('10.9.0.2/29 fd00:9::77/64')
  })

  test('of all three places comes together, one for each set', async () => {
    const node = new PaperNode()
    const config = { args: { cni: { ips: ['fd00:9::9'] } }, runtimeConfig: { ips: ['10.9.0.4'] } }
    expect(await node.add('c1', { ipam: DUAL, config })).toBe('10.9.0.4/29 fd00:9::9/64')
  })

  test.each([
    ['of no range', { env: { CNI_ARGS: 'IP=10.8.0.5' } }, 7, 'failed to allocate all requested IPs: 10.8.0.5'],
    [
      'beside another of the same set',
      { config: { args: { cni: { ips: ['10.9.0.4', '10.9.0.5'] } } } },
      7,
      'failed to allocate all requested IPs: 10.9.0.5',
    ],
    [
      'that is the gateway',
      { env: { CNI_ARGS: 'IP=10.9.0.1' } },
      7,
      "failed to allocate for range 0: requested ip 10.9.0.1 is subnet's gateway",
    ],
    [
      'that is the broadcast address',
      { env: { CNI_ARGS: 'IP=10.9.0.7' }, ipam: { ...SMALL, rangeEnd: '10.9.0.7' } },
      7,
      'failed to allocate for range 0: requested IP address 10.9.0.7 is not available in range set 10.9.0.1-10.9.0.7',
    ],
    [
      'that is none',
      { env: { CNI_ARGS: 'IP=10.9.0' } },
      4,
      'ARGS: error parsing value of pair "IP=10.9.0": invalid IP address 10.9.0',
    ],
    [
      'that is none, in the configuration',
      { config: { runtimeConfig: { ips: ['10.9.0.5', 'x'] } } },
      7,
      'runtimeConfig.ips[1]: "x" is not an IP address such as 10.244.1.7',
    ],
    ['beside words that are not known', { env: { CNI_ARGS: 'IP=10.9.0.5;FOO=1' } }, 4, 'ARGS: unknown args ["FOO=1"]'],
  ])('%s is refused, and nothing is taken', async (_, asked, code, msg) => {
    const node = new PaperNode()
    const { said } = await node.ask('ADD', asked)
    expect(said).toMatchObject({ code, msg })
    expect(await node.held('c1')).toEqual([])
    expect(await node.add('c2')).toBe('10.9.0.2/29')
  })

  test('and is held by another container is refused with who has it', async () => {
    const node = new PaperNode()
    await node.add('c1', { ...ask, env: { CNI_ARGS: 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart-0' } })
    await node.clock.advance(90_000)
    const { said } = await node.ask('ADD', { container: 'c2', ...ask })
    expect(said).toEqual({
      cniVersion: '1.1.0',
      code: 100,
      msg: 'failed to allocate for range 0: requested IP address 10.9.0.5 is not available in range set 10.9.0.1-10.9.0.6',
      details:
        '10.9.0.5 is leased in network net1: 10.9.0.5 by shop/cart-0 (container c1 eth0) for 1m30s; look with: switchyard ipam ls --network net1',
    })
  })

  test('in another set than its own does not take from both: all or none', async () => {
    const node = new PaperNode()
    await node.add('c1', { ipam: DUAL, env: { CNI_ARGS: 'IP=fd00:9::9' } })
    expect(await node.add('c2', { ipam: DUAL, env: { CNI_ARGS: 'IP=fd00:9::9' } })).toContain('is not available')
    expect(await node.held('c2')).toEqual([])
  })
})
