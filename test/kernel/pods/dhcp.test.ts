import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { frameBytes } from '#cni/plugins/dhcp/frame.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import { whyNot } from '../ground.ts'
import type { Pod } from './bridge-pod.ts'
import { DhcpStage } from './dhcp-stage.ts'

// Addresses from a real dnsmasq, on a pod below a bridge.

const why = await whyNot(['ip', 'dnsmasq'])
const CONFIG = { bridge: 'cni0', ipam: { type: 'dhcp' } }

describe.skipIf(why !== undefined)(`dhcp beside dnsmasq${why ? ` (skipped: ${why})` : ''}`, () => {
  let stage: DhcpStage
  let pod: Pod

  beforeEach(async () => {
    stage = await DhcpStage.open()
    pod = await stage.bridge.addPod()
  })
  afterEach(() => stage.end())

  const add = (config: object = CONFIG): Promise<CniResult> => stage.bridge.call('ADD', pod, { config: { ...config } })
  /** Nothing listens there: its refusal has come the whole way. */
  const reachesServer = async (result: CniResult): Promise<boolean> => {
    const outcome = await pod.host(result).connect({ to: '10.77.0.1', port: 9 })
    return !outcome.ok && outcome.error === 'refused'
  }
  const del = (more: object = {}) => stage.bridge.call('DEL', pod, { config: CONFIG, ...more })

  test('ADD: the pod has the address, the gateway and the route that the server gave', async () => {
    await stage.startServer()
    const result = await add()
    const [ip] = result.ips
    await expect.poll(() => stage.server.leases()).toMatchObject([{ address: ip!.address }])
    expect(ip).toMatchObject({ prefixLength: 24, gateway: '10.77.0.1', interface: 2 })
    expect(result.routes).toEqual([{ dst: '0.0.0.0/0', gw: '10.77.0.1' }])
    expect(await pod.run('ip', 'route')).toContain('default via 10.77.0.1 dev eth0')
    expect(await reachesServer(result)).toBe(true)
    await stage.bridge.call('CHECK', pod, { config: CONFIG, previous: result })
  })

  test('DEL releases: the server has the address again, below a bridge too', async () => {
    await stage.startServer()
    const result = await add()
    await del({ previous: result })
    await stage.server.heard(/DHCPRELEASE/)
    await expect.poll(() => stage.server.leases()).toEqual([])
    expect(await stage.records()).toEqual([])
    await del()
  })

  test('DEL without namespace releases through the bridge', async () => {
    await stage.startServer()
    await add()
    await pod.leave()
    await del({ without: 'namespace' })
    await stage.server.heard(/DHCPRELEASE/)
    await expect.poll(() => stage.server.leases()).toEqual([])
  })

  test('DEL is a success without a server', async () => {
    await stage.startServer()
    await add()
    await stage.stopServer()
    await del()
    expect(await stage.records()).toEqual([])
  })

  test('without a server ADD says so, and leaves nothing', async () => {
    stage.skipWaiting()
    await expect(add()).rejects.toMatchObject({
      code: 11,
      message: expect.stringContaining('no DHCP server answered within 60 s'),
    })
    expect(await stage.records()).toEqual([])
    expect(await pod.run('ip', '-o', 'link')).not.toContain('eth0')
  })

  test('a restart forgets no lease: it is renewed by the process that comes next', async () => {
    await stage.startServer()
    const result = await add()
    const [before] = await stage.records()
    stage.restartProcess()
    expect(await stage.renewDue()).toEqual([])
    stage.advance(301)
    stage.server.forgetSaid()
    expect(await stage.renewDue()).toMatchObject([{ became: 'renewed' }])
    await stage.server.heard(/DHCPACK/)
    expect(stage.server.said).toMatch(/DHCPREQUEST/)
    expect(stage.server.said).not.toMatch(/DHCPDISCOVER/)
    const [after] = await stage.records()
    expect(after!.lease.address).toBe(result.ips[0]!.address)
    expect(after!.lease.expiresAt).toBeGreaterThan(before!.lease.expiresAt + 290_000)
  })

  test('a silent server is asked again, then any server, and one that is back in time extends the lease', async () => {
    await stage.startServer()
    await add()
    await stage.stopServer()
    stage.skipWaiting()
    stage.advance(301)
    expect(await stage.renewDue()).toMatchObject([{ became: 'unanswered' }])
    expect(await stage.renewDue()).toEqual([])
    stage.waitAgain()
    await stage.startServer()
    stage.advance(220)
    expect(await stage.renewDue()).toMatchObject([{ became: 'rebound' }])
  })

  test('at its end the interface goes down; once the server is back, the address and its routes are, too', async () => {
    await stage.startServer()
    const result = await add()
    await stage.stopServer()
    stage.advance(601)
    expect(await stage.renewDue()).toMatchObject([{ became: 'expired' }])
    expect(await pod.run('ip', 'link', 'show', 'eth0')).toContain('state DOWN')
    await expect(stage.bridge.call('CHECK', pod, { config: CONFIG, previous: result })).rejects.toThrow(/has expired/)
    stage.skipWaiting()
    stage.advance(31)
    expect(await stage.renewDue()).toMatchObject([{ became: 'still-expired' }])
    stage.waitAgain()
    await stage.startServer()
    stage.advance(31)
    expect(await stage.renewDue()).toMatchObject([{ became: 'restored' }])
    expect(await pod.run('ip', 'route')).toContain('default via 10.77.0.1 dev eth0')
    expect(await reachesServer(result)).toBe(true)
  })

  test('an interface that is down has no lease, however long that would hold, and has it again as one that expired', async () => {
    await stage.startServer()
    const result = await add()
    await pod.run('ip', 'link', 'set', 'eth0', 'down')
    stage.advance(301)
    expect(await stage.renewDue()).toMatchObject([{ became: 'expired', why: 'its interface is down' }])
    stage.advance(31)
    expect(await stage.renewDue()).toMatchObject([{ became: 'restored' }])
    expect(await reachesServer(result)).toBe(true)
  })

  test('a pod that is sent very much between two looks hears its server all the same', async () => {
    await stage.startServer()
    const [sender, result] = [await stage.bridge.addPod(), await add()]
    await stage.bridge.call('ADD', sender, { config: CONFIG })
    const open = ({ path }: Pod) => stage.bridge.parts.packets!.open('eth0', path)
    const [from, to] = [await open(sender), await open(pod)]
    const { address } = result.ips[0]!
    const count = 600
    for (let i = 0; i < count; i++)
      from.send(frameBytes({ to: { hardware: to.hardware, address }, from, payload: Buffer.alloc(1400, i) }))
    let heard = 0
    const heardSoFar = (): number => {
      while (to.receive() !== undefined) heard++
      return heard
    }
    await expect.poll(heardSoFar).toBeGreaterThanOrEqual(count)
    for (const link of [from, to]) link.close()
  })

  test('a pod that went without DEL gives its address back when the lease is due', async () => {
    await stage.startServer()
    await add()
    await pod.leave()
    stage.advance(301)
    expect(await stage.renewDue()).toMatchObject([{ became: 'ended' }])
    await stage.server.heard(/DHCPRELEASE/)
    await expect.poll(() => stage.server.leases()).toEqual([])
    expect(await stage.records()).toEqual([])
  })

  test('GC releases what is not valid, and nothing where no list was given', async () => {
    await stage.startServer()
    await add()
    await stage.bridge.call('GC', pod, { config: CONFIG })
    expect(await stage.records()).toHaveLength(1)
    await stage.bridge.call('GC', pod, { config: CONFIG, valid: [{ container: pod.container, ifname: 'eth0' }] })
    expect(await stage.records()).toHaveLength(1)
    await stage.bridge.call('GC', pod, { config: CONFIG, valid: [] })
    expect(await stage.records()).toHaveLength(0)
    await stage.server.heard(/DHCPRELEASE/)
  })

  test('classless routes stand in place of the router, options are sent and asked for as the configuration says', async () => {
    await stage.startServer(
      '--dhcp-option=121,192.0.2.0/24,10.77.0.5,198.51.100.0/24,0.0.0.0',
      '--dhcp-option=42,10.77.0.9',
    )
    const provide = [
      { option: 'host-name', value: 'blue' },
      { option: '60', value: 'switchyard' },
    ]
    const ipam = { type: 'dhcp', priority: 50, provide, request: [{ option: 42 }] }
    const result = await add({ ...CONFIG, ipam })
    expect(result.routes).toEqual([
      { dst: '192.0.2.0/24', gw: '10.77.0.5', priority: 50 },
      { dst: '198.51.100.0/24', scope: 253, priority: 50 },
    ])
    expect(await pod.run('ip', 'route')).toMatch(/192\.0\.2\.0\/24 via 10\.77\.0\.5 dev eth0 metric 50/)
    expect(stage.server.said).toMatch(/client provides name: blue/)
    expect(stage.server.said).toMatch(/vendor class: switchyard/)
    expect(stage.server.said).toMatch(/requested options: .*42:ntp-server/)
  })

  test('pods that ask at once get an address each', async () => {
    await stage.startServer()
    const pods = [pod, ...(await Promise.all([1, 2, 3, 4].map(() => stage.bridge.addPod())))]
    const results = await Promise.all(pods.map(one => stage.bridge.call('ADD', one, { config: CONFIG })))
    const addresses = results.map(({ ips }) => ips[0]!.address)
    expect(new Set(addresses).size).toBe(5)
    const served = () => stage.server.leases().map(({ address }) => address)
    await expect.poll(() => served().toSorted()).toEqual(addresses.toSorted())
  })
})
