import { describe, expect, test } from 'vitest'
import type { CniCommand } from '#cni/protocol/request.ts'
import type { PaperLeaseBook } from '#lab/paper/lease-book.ts'
import { type Ask, DUAL, PaperNode, SMALL } from './node.ts'

describe('a DEL', () => {
  test.each<[string, Ask]>([
    ['with the configuration of the ADD', {}],
    ['without a namespace', { env: { CNI_NETNS: '' } }],
    ['whose ranges came from the runtime, which gives none now', { ipam: { type: 'host-local' } }],
    ['with a range that is not valid any more', { ipam: { type: 'host-local', subnet: '10.9.0.1/29' } }],
    ['with keys of the wrong kind', { ipam: { type: 'host-local', ranges: 5, routes: 'x', cooldown: 1 } }],
    ['without an ipam', { config: { ipam: undefined } }],
    ['with words in CNI_ARGS that are not known', { env: { CNI_ARGS: 'FOO=1;IP=x' } }],
    ['with a resolv.conf that is gone', { ipam: { ...SMALL, resolvConf: '/gone' } }],
    ['of the oldest version', { config: { cniVersion: '0.1.0' } }],
    ['with a prevResult of another shape', { config: { prevResult: { ips: 'x' } } }],
  ])('%s gives the address back', async (_, asked) => {
    const node = new PaperNode()
    await node.add('c1')
    expect(await node.del('c1', asked)).toBe('ok')
    expect(await node.held('c1')).toEqual([])
  })

  test('of what holds nothing succeeds, as often as it comes', async () => {
    const node = new PaperNode()
    expect(await node.del('c1')).toBe('ok')
    await node.add('c1')
    expect([await node.del('c1'), await node.del('c1')]).toEqual(['ok', 'ok'])
  })

  test('gives back the addresses of all sets, and no other interface’s', async () => {
    const node = new PaperNode()
    await node.add('c1', { ipam: DUAL })
    await node.add('c1', { ipam: DUAL, env: { CNI_IFNAME: 'eth1' } })
    await node.del('c1', { ipam: DUAL })
    expect(await node.held('c1')).toEqual([])
    expect(await node.book.held({ network: 'net1', container: 'c1', ifname: 'eth1' })).toHaveLength(2)
  })

  test('has the kernel forget connections of what it gave back, once', async () => {
    const node = new PaperNode()
    await node.add('c1', { ipam: DUAL })
    expect(node.forgotten).toEqual([])
    await node.del('c1', { ipam: DUAL })
    await node.del('c1', { ipam: DUAL })
    expect(node.forgotten).toEqual(['10.9.0.2', 'fd00:9::2'])
  })

  test('lets an address cool down as long as the ADD said, whatever the configuration says now', async () => {
    const node = new PaperNode()
    const ipam = { type: 'host-local', subnet: '10.9.0.0/30', cooldown: '10s' }
    await node.add('c1', { ipam })
    await node.del('c1', { ipam: { ...ipam, cooldown: '1h' } })
    expect(await node.add('c2', { ipam })).toContain('no IP addresses available')
    await node.clock.advance(10_000)
    expect(await node.add('c2', { ipam })).toBe('10.9.0.2/30')
  })
})

describe('a STATUS', () => {
  const status = async (node: PaperNode, asked: Ask = {}) => (await node.ask('STATUS', asked)).said

  test('says nothing while there are free addresses', async () => {
    expect(await status(new PaperNode())).toBeUndefined()
  })

  test('is 50 once a set has none, also while some only cool down', async () => {
    const node = new PaperNode()
    const ipam = { type: 'host-local', ranges: [[{ subnet: 'fd00:9::/64' }], [{ subnet: '10.9.0.0/30' }]] }
    await node.add('c1', { ipam })
    const said = await status(node, { ipam })
    expect(said).toMatchObject({ code: 50, msg: 'no IP addresses available in range set: 10.9.0.1-10.9.0.2' })
    expect(said.details).toContain('1 in all: 1 leased, 0 cooling down, 0 free; held the longest: 10.9.0.2 by')
    await node.del('c1', { ipam })
    expect((await status(node, { ipam })).details).toContain('1 cooling down (the first is free in 30s)')
    await node.clock.advance(30_000)
    expect(await status(node, { ipam })).toBeUndefined()
  })

  test('says what is wrong with the ranges', async () => {
    expect(await status(new PaperNode(), { ipam: { type: 'host-local' } })).toMatchObject({
      code: 7,
      msg: 'no IP ranges specified',
    })
  })

  test('is silent where ranges come with each ADD alone', async () => {
    const ask = { ipam: { type: 'host-local' }, config: { capabilities: { ipRanges: true } } }
    expect(await status(new PaperNode(), ask)).toBeUndefined()
  })
})

describe('a GC', () => {
  const gc = (node: PaperNode, valid: unknown) => node.ask('GC', { config: { 'cni.dev/valid-attachments': valid } })

  async function three(): Promise<PaperNode> {
    const node = new PaperNode()
    for (const container of ['c1', 'c2', 'c3']) await node.add(container)
    return node
  }

  test('has the kernel forget connections of what it gave back', async () => {
    const node = new PaperNode()
    for (const container of ['c1', 'c2']) await node.add(container)
    await gc(node, [{ containerID: 'c2', ifname: 'eth0' }])
    expect(node.forgotten).toEqual(['10.9.0.2'])
  })

  test('gives back all that is not in the list', async () => {
    const node = await three()
    expect((await gc(node, [{ containerID: 'c2', ifname: 'eth0' }])).code).toBe(0)
    expect([await node.held('c1'), await node.held('c2'), await node.held('c3')]).toEqual([[], ['10.9.0.3'], []])
  })

  test('knows an attachment by its interface, too', async () => {
    const node = await three()
    await gc(node, [{ containerID: 'c2', ifname: 'eth1' }])
    expect(await node.held('c2')).toEqual([])
  })

  test('with an empty list gives everything back, and without a list nothing', async () => {
    const node = await three()
    expect((await gc(node, undefined)).code).toBe(0)
    expect(await node.held('c1')).toEqual(['10.9.0.2'])
    await gc(node, [])
    expect([await node.held('c1'), await node.held('c2'), await node.held('c3')]).toEqual([[], [], []])
  })

  test('leaves other networks alone', async () => {
    const node = await three()
    await node.add('d1', { config: { name: 'net2' } })
    await gc(node, [])
    expect(await node.held('d1', 'net2')).toEqual(['10.9.0.5'])
  })

  test('does without a valid configuration', async () => {
    const node = await three()
    const ask = { ipam: { type: 'host-local', subnet: 'x' }, config: { 'cni.dev/valid-attachments': [] } }
    expect((await node.ask('GC', ask)).code).toBe(0)
    expect(await node.held('c1')).toEqual([])
  })
})

describe('networks of one node', () => {
  test('do not give the same address, though they have the same subnet', async () => {
    const node = new PaperNode()
    expect(await node.add('c1')).toBe('10.9.0.2/29')
    expect(await node.add('c2', { config: { name: 'net2' } })).toBe('10.9.0.3/29')
  })

  test('may where they say that they are apart', async () => {
    const node = new PaperNode()
    const ipam = { ...SMALL, overlap: 'allow' }
    expect(await node.add('c1', { ipam })).toBe('10.9.0.2/29')
    expect(await node.add('c2', { ipam, config: { name: 'net2' } })).toBe('10.9.0.2/29')
  })
})

test('addresses of before the machine started are free again, unless their namespace lives', async () => {
  const node = new PaperNode()
  const book = node.book as PaperLeaseBook
  for (const container of ['c1', 'c2', 'c3', 'c4', 'c5']) {
    node.namespaces.set(`/run/netns/${container}`, `4:${container}`)
    await node.add(container)
  }
  for (const container of ['c1', 'c2', 'c4', 'c5']) node.namespaces.delete(`/run/netns/${container}`)
  node.boot = 'boot-2'
  node.book = book.restarted('boot-2')
  const given = await Promise.all(['d1', 'd2', 'd3', 'd4'].map(container => node.add(container)))
  expect(given).toEqual(['10.9.0.2/29', '10.9.0.3/29', '10.9.0.5/29', '10.9.0.6/29'])
  expect(await node.add('d5')).toContain('no IP addresses available')
})

test('no command says anything but JSON, or nothing, whatever stands in `ipam`', async () => {
  const commands: readonly CniCommand[] = ['ADD', 'DEL', 'CHECK', 'STATUS', 'GC']
  for (const ipam of [
    null,
    5,
    'x',
    [],
    {},
    { ranges: [[null]] },
    { ranges: [null] },
    { routes: [5] },
    { subnet: {} },
  ]) {
    for (const command of commands) {
      const { said, code } = await new PaperNode().ask(command, { config: { ipam } })
      if (code !== 0) expect(said).toMatchObject({ code: 7, cniVersion: '1.1.0' })
    }
  }
})
