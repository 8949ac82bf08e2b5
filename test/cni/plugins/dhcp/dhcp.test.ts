import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dhcp } from '#cni/plugins/dhcp/dhcp.ts'
import { DhcpStage } from './dhcp-stage.ts'

let stage: DhcpStage
beforeEach(() => {
  stage = new DhcpStage()
})
afterEach(() => stage.close())

describe('an ADD', () => {
  test('returns what the server granted, brings the interface up, and writes it down', async () => {
    expect(await stage.add({ ipam: { type: 'dhcp', priority: 7 } })).toEqual({
      interfaces: [],
      ips: [{ address: '10.9.0.2', prefixLength: 24, gateway: '10.9.0.1' }],
      routes: [{ dst: '0.0.0.0/0', gw: '10.9.0.1', priority: 7 }],
      dns: {},
    })
    const record = await stage.record()
    expect(record).toMatchObject({ state: 'bound', nodeLink: 'cni0', boot: 'boot', priority: 7 })
    expect(record?.dueAt).toBe(record?.lease.renewAt)
    expect([stage.isUp, stage.links.map(({ isClosed }) => isClosed), stage.networks.held]).toEqual([true, [true], 0])
  })

  test.each<[string, (stage: DhcpStage) => void]>([
    [
      'the database cannot be written',
      ({ book }) => Object.assign(book, { put: () => Promise.reject(new Error('the disk is full')) }),
    ],
    [
      'this start of the machine has no name',
      ({ parts }) => Object.assign(parts.files, { bootId: () => Promise.reject(new Error('no /proc')) }),
    ],
    [
      'the namespace cannot be looked at',
      ({ parts }) => Object.assign(parts.files, { namespaceId: () => Promise.reject(new Error('EACCES')) }),
    ],
  ])('leaves no address taken where %s', async (_, harm) => {
    harm(stage)
    await expect(stage.add()).rejects.toThrow()
    expect([...stage.server.leases.keys()]).toEqual([])
  })

  test('that no server answers is worth another try, and says where it was asked', async () => {
    stage.server.mode = 'is silent'
    await expect(stage.add()).rejects.toMatchObject({
      code: 11,
      message: 'dhcp: no DHCP server answered within 60 s',
      details: expect.stringContaining('asked on eth0 in /run/netns/c1'),
    })
    expect(await stage.record()).toBeUndefined()
  })

  test('asks no longer than the configuration says', async () => {
    stage.server.mode = 'is silent'
    const since = stage.clock.now()
    const ipam = { type: 'dhcp', timeout: '5s' }
    await expect(stage.add({ ipam })).rejects.toThrow('no DHCP server answered within 5 s')
    expect(stage.clock.now() - since).toBeLessThan(5100)
  })

  test('that waits for a silent server does not keep a daemon from ending', async () => {
    const [stop, since] = [new AbortController(), stage.clock.now()]
    Object.assign(stage.parts, { stopping: stop.signal })
    stage.server.answer = () => {
      stop.abort()
      return []
    }
    await expect(stage.add()).rejects.toMatchObject({
      code: 11,
      message: 'dhcp: the daemon is stopping, and no DHCP server has answered yet',
    })
    expect(stage.clock.now() - since).toBeLessThan(5000)
    expect(stage.links.map(({ isClosed }) => isClosed)).toEqual([true])
  })

  test('into an interface that is not there says so', async () => {
    stage.networks.pod.forget('eth0')
    await expect(stage.add()).rejects.toMatchObject({
      code: 5,
      message: expect.stringContaining('cannot speak on eth0'),
    })
    expect(stage.networks.held).toBe(0)
  })

  test('needs a namespace, and raw sockets', async () => {
    const request = { ...stage.request('ADD'), netns: undefined }
    await expect(dhcp.add(request, stage.parts)).rejects.toThrow('required env variables [CNI_NETNS] missing')
    const { packets: _, ...without } = stage.parts
    await expect(dhcp.add(stage.request('ADD'), without)).rejects.toMatchObject({ code: 50 })
    await expect(dhcp.status(stage.request('STATUS'), without)).rejects.toMatchObject({ code: 50 })
    await dhcp.status(stage.request('STATUS'), stage.parts)
  })

  test('again of the same interface has the same address, and is one lease', async () => {
    expect((await stage.add()).ips).toEqual((await stage.add()).ips)
    expect([stage.server.leases.size, (await stage.book.all()).length]).toEqual([1, 1])
  })
})

describe('a DEL', () => {
  test('gives the address back over the pod’s interface, once and again', async () => {
    await stage.add()
    await stage.del()
    expect([stage.server.leases.size, await stage.record()]).toEqual([0, undefined])
    await stage.del()
  })

  test('of a pod whose namespace is gone gives it back over the bridge', async () => {
    await stage.add()
    stage.namespaces.clear()
    stage.networks.node.put('cni0', { kind: 'bridge' })
    await stage.del()
    expect(stage.server.leases.size).toBe(0)
  })

  test('does not speak for a pod whose path another namespace has', async () => {
    await stage.add()
    stage.namespaces.set('/run/netns/c1', '4:other')
    await stage.del()
    expect([stage.server.leases.size, await stage.record()]).toEqual([1, undefined])
  })

  test('succeeds where nothing can be reached, and without raw sockets', async () => {
    await stage.add()
    stage.namespaces.clear()
    await stage.del()
    await stage.add().catch(() => {})
    const { packets: _, ...without } = stage.parts
    await dhcp.del(stage.request('DEL'), without)
    expect(await stage.record()).toBeUndefined()
  })
})

describe('CHECK', () => {
  const check = (prevResult?: object) => {
    const request = stage.request('CHECK')
    return dhcp.check({ ...request, config: { ...request.config, ...(prevResult as object) } }, stage.parts)
  }
  const put = async () => {
    const result = await stage.add()
    await stage.networks.pod.addAddress('eth0', result.ips[0]!)
    return { prevResult: result }
  }

  test('finds nothing right after an ADD, with its result or without', async () => {
    await check(await put())
    await check()
    expect(stage.networks.held).toBe(0)
  })

  test('says that the address is not on the interface, or is another one', async () => {
    const { prevResult } = await put()
    const [ip] = prevResult.ips
    const other = { ...prevResult, ips: [{ ...ip!, address: '10.9.0.77' as never }] }
    await expect(check({ prevResult: other })).rejects.toThrow('the lease is of 10.9.0.2, the result has 10.9.0.77')
    await stage.networks.pod.deleteAddress('eth0', ip!)
    await expect(check({ prevResult })).rejects.toThrow('10.9.0.2 is not on eth0')
    expect(stage.networks.held).toBe(0)
  })

  test('says that the lease has expired, also one the daemon did not see, or that there is none', async () => {
    const result = await put()
    stage.clock.time += 601_000
    await expect(check(result)).rejects.toThrow('the lease of 10.9.0.2 has expired')
    stage.clock.time -= 601_000
    const record = await stage.record()
    await stage.book.put({ ...record!, state: 'expired' })
    await expect(check(result)).rejects.toThrow('the lease of 10.9.0.2 has expired')
    await stage.del()
    await expect(check(result)).rejects.toThrow('no lease of container c1 and interface eth0')
  })
})

test('a GC ends what is of no valid attachment of its network', async () => {
  stage.namespaces.set('/run/netns/c2', '4:c2')
  await stage.add()
  await stage.add({}, 'c2')
  await stage.add({ name: 'net2' })
  const gc = (valid?: object) =>
    dhcp.gc(stage.request('GC', valid && { 'cni.dev/valid-attachments': valid }), stage.parts)
  await gc()
  expect(stage.server.leases.size).toBe(3)
  await gc([{ containerID: 'c2', ifname: 'eth0' }])
  const left = (await stage.book.all()).map(({ owner }) => `${owner.network} ${owner.container}`)
  expect([left.sort(), stage.server.leases.size]).toEqual([['net1 c2', 'net2 c1'], 2])
})
