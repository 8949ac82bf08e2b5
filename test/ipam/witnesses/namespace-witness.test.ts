import { describe, expect, test } from 'vitest'
import type { Holder, Lease } from '#ipam/leases/lease-book.ts'
import {
  type NamespaceLook,
  namespaceLook,
  namespaceWitness,
  type SeenNamespaces,
} from '#ipam/witnesses/namespace-witness.ts'
import { NetworkRefused, type Networks } from '#system/network/network.ts'
import type { Address } from '#values/address.ts'
import { address } from '../../support/leases.ts'
import { lease } from './lease.ts'

describe('the namespace', () => {
  const witness = (look: NamespaceLook, portOwners = async () => (_: Holder) => false) =>
    namespaceWitness({ look, portOwners })
  const opened = (addresses: readonly string[] | Error): Networks => ({
    async open() {
      if (addresses instanceof Error) throw addresses
      const found = addresses.map(text => ({ address: address(text) }))
      return { addresses: async () => found, close: () => {} } as never
    },
  })
  const files = (more: Partial<SeenNamespaces> = {}): SeenNamespaces => ({
    namespaceId: async () => '4:1',
    seesAll: async () => true,
    ...more,
  })
  const said = async (networks: Networks, seen: SeenNamespaces, of: Lease = lease()) =>
    (await witness(namespaceLook({ networks, files: seen })).testify([of]))[0]

  test('names a lease whose address is on an interface', async () => {
    expect(await said(opened(['127.0.0.1', '10.9.0.2']), files())).toBe('names')
    expect(await said(opened(['10.9.0.3']), files())).toBe('not')
  })

  test('is gone where nothing is at its path, another is, or it went meanwhile', async () => {
    expect(await said(opened([]), files({ namespaceId: async () => undefined }))).toBe('not')
    expect(await said(opened(['10.9.0.2']), files({ namespaceId: async () => '4:2' }))).toBe('not')
    expect(await said(opened(new NetworkRefused('ENOENT', 'gone')), files())).toBe('not')
  })

  test('is in use without its path, or the address, where its interface has its other end on the node', async () => {
    const look: NamespaceLook = async path => (path === '/run/netns/empty' ? new Set() : 'gone')
    const ports = async () => (holder: Holder) => holder.container === 'c1'
    const empty = { netns: '/run/netns/empty' }
    const all = [lease(), lease({ container: 'c2' }), lease(empty), lease({ ...empty, container: 'c2' })]
    expect(await witness(look, ports).testify(all)).toEqual(['names', 'not', 'names', 'not'])
    const failing = () => Promise.reject(new Error('ENOBUFS'))
    expect(await witness(look, failing).testify(all)).toEqual(all.map(() => 'failed'))
  })

  test('was not seen where it could not be looked for', async () => {
    const inContainer = { seesAll: async () => false }
    const blind = files({ namespaceId: async () => undefined, ...inContainer })
    expect(await said(opened([]), blind)).toBe('failed')
    // Without the node's process numbers, /proc/7 is another process; without its mounts, a namespace is an empty file.
    expect(await said(opened([]), files({ namespaceId: async () => '4:2', ...inContainer }))).toBe('failed')
    expect(await said(opened(new NetworkRefused('EINVAL', 'no namespace')), files(inContainer))).toBe('failed')
    const { namespaceId: _, ...unknown } = lease()
    expect(await said(opened(['10.9.0.2']), files(inContainer), unknown)).toBe('failed')
    expect(await said(opened([]), files({ namespaceId: () => Promise.reject(new Error('EACCES')) }))).toBe('failed')
    expect(await said(opened(new NetworkRefused('EPERM', 'no')), files())).toBe('failed')
  })

  test('is looked at once for all of its leases', async () => {
    const paths: string[] = []
    const networks: Networks = {
      async open(path) {
        paths.push(path!)
        return opened(['10.9.0.2']).open()
      },
    }
    const all = [lease(), lease({ ifname: 'eth1' }), lease({ netns: '/run/netns/c2' })]
    expect(await witness(namespaceLook({ networks, files: files() })).testify(all)).toEqual(all.map(() => 'names'))
    expect(paths).toEqual(['/run/netns/c1', '/run/netns/c2'])
  })

  test('whether all is seen is asked once for each folder', async () => {
    const asked: string[] = []
    const gone = files({
      namespaceId: async () => undefined,
      seesAll: async path => {
        asked.push(path)
        return path.startsWith('/run')
      },
    })
    const all = ['/run/netns/a', '/run/netns/b', '/proc/7/ns/net', '/proc/8/ns/net'].map(netns => lease({ netns }))
    expect(await witness(namespaceLook({ networks: opened([]), files: gone })).testify(all)).toEqual([
      ...['not', 'not', 'failed', 'failed'],
    ])
    expect(asked).toEqual(['/run/netns/a', '/proc/7/ns/net'])
  })

  test('knows nothing of a lease without a path', async () => {
    const { netns: _, ...imported } = lease()
    expect(await said(opened([]), files(), imported)).toBe('mute')
  })

  test('is looked at with few others at once, however many there are, and closed again', async () => {
    let [open, most] = [0, 0]
    const networks: Networks = {
      async open() {
        most = Math.max(most, ++open)
        return {
          addresses: async () => {
            for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
            // What cannot be read is closed, too.
            if (open % 2 === 0) throw new Error('EIO')
            return [{ address: address('10.9.0.2') }]
          },
          close: () => void open--,
        } as never
      },
    }
    const all = Array.from({ length: 200 }, (_, i) => lease({ netns: `/run/netns/${i}` }))
    const said = await witness(namespaceLook({ networks, files: files() })).testify(all)
    expect([said.length, new Set(said), open]).toEqual([200, new Set(['names', 'failed']), 0])
    expect(most).toBeGreaterThan(8)
    expect(most).toBeLessThanOrEqual(32)
  })

  test('that is known to be alive is not looked at again in the round, and one that is not is', async () => {
    const paths: string[] = []
    const look = (live: Map<string, ReadonlySet<Address>>) =>
      namespaceLook(
        {
          networks: opened(['10.9.0.2']),
          files: files({
            namespaceId: async path => {
              paths.push(path)
              return path.endsWith('c1') ? '4:1' : undefined
            },
          }),
        },
        live,
      )
    const live = new Map<string, ReadonlySet<Address>>()
    const all = [lease(), lease({ netns: '/run/netns/c2' })]
    for (let time = 0; time < 2; time++) expect(await witness(look(live)).testify(all)).toEqual(['names', 'not'])
    expect(paths).toEqual(['/run/netns/c1', '/run/netns/c2', '/run/netns/c2'])
    // Under the same path another namespace is another one.
    await witness(look(live)).testify([lease({ namespaceId: '4:9' })])
    expect(paths.at(-1)).toBe('/run/netns/c1')
  })

  test('says of each lease its own word, in their order, whichever was looked at first', async () => {
    const look: NamespaceLook = async path => {
      const number = Number(path.slice(1))
      for (let turn = 0; turn < 9 - number; turn++) await new Promise(setImmediate)
      return number % 3 === 0 ? 'gone' : number % 3 === 1 ? 'failed' : new Set([address('10.9.0.2')])
    }
    const all = Array.from({ length: 9 }, (_, i) => lease({ netns: `/${i}` }))
    const each = ['not', 'failed', 'names']
    expect(await witness(look).testify(all)).toEqual([...each, ...each, ...each])
  })

  test('asks for interfaces of the node once for all pages, and only where an address was not found', async () => {
    let asked = 0
    const ports = async () => {
      asked++
      return () => true
    }
    const round = witness(async path => (path === '/gone' ? 'gone' : new Set([address('10.9.0.2')])), ports)
    await round.testify([lease()])
    expect(asked).toBe(0)
    for (let page = 0; page < 2; page++) expect(await round.testify([lease({ netns: '/gone' })])).toEqual(['names'])
    expect(asked).toBe(1)
  })

  test('of which it is not known whether all is seen is no reason to free a lease', async () => {
    const unknown = files({
      namespaceId: async () => undefined,
      seesAll: () => Promise.reject(new Error('EACCES')),
    })
    expect(await said(opened([]), unknown)).toBe('failed')
    expect(
      await said(opened(new NetworkRefused('ENOENT', 'gone')), { ...unknown, namespaceId: async () => '4:1' }),
    ).toBe('failed')
  })
})
