import { describe, expect, test } from 'vitest'
import type { Holder, Lease } from '#ipam/leases/lease-book.ts'
import { apiWitness } from '#ipam/witnesses/api-witness.ts'
import { judge } from '#ipam/witnesses/judgement.ts'
import {
  type NamespaceLook,
  namespaceLook,
  namespaceWitness,
  type SeenNamespaces,
} from '#ipam/witnesses/namespace-witness.ts'
import { runtimeWitness } from '#ipam/witnesses/runtime-witness.ts'
import { LEAK_LIMITS, type WitnessName } from '#ipam/witnesses/verdict.ts'
import type { Witness } from '#ipam/witnesses/witness.ts'
import { NetworkRefused, type Networks } from '#system/network/network.ts'
import { parseAddress } from '#values/address.ts'

const lease = (more: Partial<Lease> = {}): Lease => ({
  network: 'net1',
  container: 'c1',
  ifname: 'eth0',
  address: parseAddress('10.9.0.2')!,
  family: 'ipv4',
  set: 0,
  boot: 'now',
  state: 'assigned',
  at: 0,
  netns: '/run/netns/c1',
  namespaceId: '4:1',
  pod: 'default/web-1',
  uid: 'u1',
  ...more,
})

describe('the namespace', () => {
  const witness = (look: NamespaceLook, portOwners = async () => (_: Holder) => false) =>
    namespaceWitness({ look, portOwners })
  const opened = (addresses: readonly string[] | Error): Networks => ({
    async open() {
      if (addresses instanceof Error) throw addresses
      const found = addresses.map(text => ({ address: parseAddress(text)! }))
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
})

describe("the runtime's results", () => {
  const said = async (list: (folder: string) => Promise<readonly string[] | undefined>, of: Lease = lease()) =>
    (await runtimeWitness({ list }).testify([of]))[0]

  test('name an attachment that has a file', async () => {
    expect(await said(async () => ['net1-c1-eth0'])).toBe('names')
    expect(await said(async () => ['net1-c1-eth1'])).toBe('not')
    expect(await said(async folder => (folder.includes('cache') ? ['net1-c1-eth0'] : []))).toBe('names')
  })

  test('are mute where there are none on this node, and of a lease without interface', async () => {
    expect(await said(async () => undefined)).toBe('mute')
    expect(await said(async () => [], lease({ ifname: '' }))).toBe('mute')
  })

  test('were not seen where they cannot be listed', async () => {
    expect(await said(() => Promise.reject(new Error('EACCES')))).toBe('failed')
  })
})

describe('the API server', () => {
  const pod = { uid: 'u1', pod: 'default/web-1', addresses: [parseAddress('10.9.0.2')!], isFinished: false }
  const said = async (pods: () => Promise<readonly (typeof pod)[]>, of: Lease = lease()) =>
    (await apiWitness(pods).testify([of]))[0]

  test('names a pod by its uid, or by its name and address', async () => {
    expect(await said(async () => [{ ...pod, pod: 'x/y' }])).toBe('names')
    expect(await said(async () => [{ ...pod, uid: 'mirror' }])).toBe('names')
    expect(await said(async () => [{ ...pod, uid: 'new', addresses: [] }])).toBe('names')
    expect(await said(async () => [{ ...pod, uid: 'new', addresses: [parseAddress('10.9.0.7')!] }])).toBe('not')
    expect(await said(async () => [])).toBe('not')
  })

  test('does not count a pod that has finished', async () => {
    expect(await said(async () => [{ ...pod, isFinished: true }])).toBe('not')
  })

  test('that cannot be asked has not said that there are no pods', async () => {
    expect(await said(() => Promise.reject(new Error('timeout')))).toBe('failed')
  })

  test('knows nothing of a container that is no pod', async () => {
    const { pod: _, uid: __, ...plain } = lease()
    expect(await said(async () => [], plain)).toBe('mute')
  })
})

test('an attachment is in use as a whole', async () => {
  const six = lease({ address: parseAddress('fd09::2')!, family: 'ipv6', set: 1 })
  const witness = { name: 'namespace' as const, testify: async () => ['not', 'names', 'not'] as const }
  const judged = await judge(
    [lease(), six, lease({ container: 'c2' }), lease({ container: 'c3', state: 'cooldown' })],
    {
      witnesses: [witness],
      limits: LEAK_LIMITS,
      asked: 'all',
      now: 1_000_000,
      boot: 'now',
      before: () => undefined,
    },
  )
  expect(judged.map(({ holder, verdict }) => [holder.container, verdict.is])).toEqual([
    ['c1', 'live'],
    ['c2', 'suspect'],
  ])
})

test('only the first witness is asked of what it names', async () => {
  const asked: string[] = []
  const witness = (name: WitnessName, named: string): Witness => ({
    name,
    async testify(leases) {
      asked.push(`${name}: ${leases.map(({ container }) => container).join(' ')}`)
      return leases.map(({ container }) => (container === named ? 'names' : 'not'))
    },
  })
  const judged = await judge([lease(), lease({ container: 'c2' }), lease({ container: 'c3' })], {
    witnesses: [witness('namespace', 'c1'), witness('runtime', 'c2'), witness('api', 'c3')],
    limits: LEAK_LIMITS,
    asked: 'until-named',
    now: 1_000_000,
    boot: 'now',
    before: () => undefined,
  })
  expect(judged.map(({ verdict }) => verdict.is)).toEqual(['live', 'live', 'live'])
  expect(asked).toEqual(['namespace: c1 c2 c3', 'runtime: c2 c3', 'api: c3'])
})
