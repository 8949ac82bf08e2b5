import { describe, expect, test } from 'vitest'
import { LeaseStoreFailed } from '#ipam/leases/store-failed.ts'
import { DUAL, PaperNode, SMALL } from './node.ts'

const NONE = 'failed to allocate for range 0: no IP addresses available in range set: 10.9.0.1-10.9.0.6'

async function fullNode(ipam: object = SMALL): Promise<PaperNode> {
  const node = new PaperNode()
  for (const container of ['c1', 'c2', 'c3', 'c4', 'c5']) {
    await node.add(container, { ipam, env: { CNI_ARGS: `K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${container}` } })
    await node.clock.advance(1000)
  }
  return node
}

describe('a full range', () => {
  test('is said with counts, what is held the longest, and where to look', async () => {
    const node = await fullNode()
    await node.clock.advance(3_600_000)
    const { said } = await node.ask('ADD', { container: 'c6' })
    expect(said).toMatchObject({ code: 50, msg: NONE })
    expect(said.details).toBe(
      [
        '5 in all: 5 leased, 0 cooling down, 0 free',
        'held the longest: 10.9.0.2 by shop/c1 (container c1 eth0) for 1h0m5s, 10.9.0.3 by shop/c2 (container c2 eth0) for 1h0m4s, 10.9.0.4 by shop/c3 (container c3 eth0) for 1h0m3s, 10.9.0.5 by shop/c4 (container c4 eth0) for 1h0m2s, 10.9.0.6 by shop/c5 (container c5 eth0) for 1h0m1s',
        'look with: switchyard ipam ls --network net1',
      ].join('; '),
    )
  })

  test('where addresses only cool down is worth another try, and says when', async () => {
    const ipam = { ...SMALL, cooldown: '1m' }
    const node = await fullNode(ipam)
    await node.del('c2', { ipam })
    await node.clock.advance(15_000)
    const { said } = await node.ask('ADD', { container: 'c6', ipam })
    expect(said).toMatchObject({ code: 11, msg: NONE })
    expect(said.details).toContain('5 in all: 4 leased, 1 cooling down (the first is free in 45s), 0 free')
    await node.clock.advance(45_000)
    expect(await node.add('c6', { ipam })).toBe('10.9.0.3/29')
  })

  test('names what another network of the node holds', async () => {
    const node = await fullNode()
    const { said } = await node.ask('ADD', { container: 'd1', config: { name: 'net2' } })
    expect(said).toMatchObject({ code: 50, msg: NONE })
    expect(said.details).toContain('5 in all: 0 leased, 0 cooling down, 5 used by other networks, 0 free')
  })

  test('that never had an address to give is a mistake of the configuration', async () => {
    const node = new PaperNode()
    const { said } = await node.ask('ADD', { ipam: { ...SMALL, rangeEnd: '10.9.0.1' } })
    expect(said).toMatchObject({ code: 7, msg: NONE.replace('10.9.0.6', '10.9.0.1') })
    expect(said.details).toContain('none of its addresses may be given')
  })

  test('of one set leaves nothing taken of the other', async () => {
    const node = await fullNode()
    const ipam = { ...DUAL, ranges: [DUAL.ranges[1], DUAL.ranges[0]] }
    expect(await node.add('c6', { ipam })).toBe(`50: ${NONE.replace('range 0', 'range 1')}`)
    expect(await node.held('c6')).toEqual([])
    expect(await node.add('c7', { ipam: { type: 'host-local', ranges: [DUAL.ranges[1]] } })).toBe('fd00:9::2/64')
  })

  test('says of what was there before the machine started that it was', async () => {
    const node = await fullNode()
    // All of them live: their namespaces are the same as before.
    node.boot = 'boot-2'
    const { said } = await node.ask('ADD', { container: 'c6' })
    expect(said.details).toContain('10.9.0.2 by shop/c1 (container c1 eth0) for 5s, since before the machine started')
  })
})

describe('a second ADD of the same container and interface', () => {
  test('is refused, and says what it has', async () => {
    const node = new PaperNode()
    await node.add('c1')
    const { said } = await node.ask('ADD')
    expect(said).toMatchObject({
      code: 100,
      msg: 'failed to allocate for range 0: 10.9.0.2 has been allocated to c1, duplicate allocation is not allowed',
    })
    expect(said.details).toContain('"onDuplicate": "reuse"')
    expect(await node.held('c1')).toEqual(['10.9.0.2'])
  })

  test('is refused as well where it asks for another address', async () => {
    const node = new PaperNode()
    await node.add('c1')
    expect(await node.add('c1', { env: { CNI_ARGS: 'IP=10.9.0.5' } })).toContain('duplicate allocation is not allowed')
    expect(await node.held('c1')).toEqual(['10.9.0.2'])
  })

  test('gets the same addresses with onDuplicate reuse, in the same namespace alone', async () => {
    const node = new PaperNode()
    const ipam = { ...DUAL, onDuplicate: 'reuse' }
    node.namespaces.set('/run/netns/c1', '4:77')
    const first = await node.add('c1', { ipam })
    expect(await node.add('c1', { ipam })).toBe(first)
    node.namespaces.set('/run/netns/c1', '4:78')
    expect(await node.add('c1', { ipam })).toContain('duplicate allocation is not allowed')
  })

  test('is none where the interface is another', async () => {
    const node = new PaperNode()
    await node.add('c1')
    expect(await node.add('c1', { env: { CNI_IFNAME: 'eth1' } })).toBe('10.9.0.3/29')
  })
})

describe('a database that cannot be used', () => {
  const failing = (fault: 'damaged' | 'busy') => {
    const node = new PaperNode()
    const failure = new LeaseStoreFailed(fault, 'the lease database is damaged', 'remove it')
    const fail = () => Promise.reject(failure)
    node.book = {
      take: fail,
      release: fail,
      held: fail,
      usage: fail,
      ready: fail,
      keepOnly: fail,
      granted: async () => undefined,
      close() {},
    }
    return node
  }

  test('is an error of every command, with what an operator can do', async () => {
    const node = failing('damaged')
    for (const command of ['ADD', 'DEL', 'CHECK', 'GC'] as const) {
      const { said } = await node.ask(command, { config: { 'cni.dev/valid-attachments': [] } })
      expect(said).toMatchObject({ code: 5, msg: 'the lease database is damaged', details: 'remove it' })
    }
    expect((await node.ask('STATUS')).said).toMatchObject({ code: 50, msg: 'the lease database is damaged' })
  })

  test('is worth another try where it is only in use', async () => {
    expect((await failing('busy').ask('ADD')).said).toMatchObject({ code: 11 })
  })
})
