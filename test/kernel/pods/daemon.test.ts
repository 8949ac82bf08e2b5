import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { Installation, PodsNode } from './pods-node.ts'
import { cannotCompile } from './shim.ts'

// The daemon as it is shipped, called by the helper as a runtime calls it, on a node of its own: pods get addresses and
// interfaces that carry packets, whichever process does the work and whatever kills it.

const why = cannotRun('iptables', 'nsenter', 'unshare') ?? cannotCompile()

const BRIDGE = {
  cniVersion: '1.1.0',
  name: 'mynet',
  type: 'bridge',
  bridge: 'cni0',
  isGateway: true,
  ipMasq: true,
  ipam: { type: 'host-local', subnet: '10.244.0.0/16', routes: [{ dst: '0.0.0.0/0' }] },
}

describe.skipIf(why !== undefined)(`the pods’ daemon${why ? ` (skipped: ${why})` : ''}`, () => {
  let installation: Installation
  let node: PodsNode

  beforeAll(() => {
    installation = new Installation()
  })
  beforeEach(async () => {
    node = await PodsNode.start(installation)
  })
  afterEach(async () => {
    await node.stop()
    installation.removeFallback()
  })
  afterAll(() => installation.remove())

  const attach = (container: string) =>
    node.call('bridge', { command: 'ADD', container, netns: `/run/netns/${container}`, config: BRIDGE })
  const detach = (container: string, stdout: string) =>
    node.call('bridge', {
      command: 'DEL',
      container,
      netns: `/run/netns/${container}`,
      config: { ...BRIDGE, prevResult: JSON.parse(stdout) },
    })

  test('gives a pod an address, an interface and a route, and takes all of it back', async () => {
    const daemon = await node.startDaemon()
    node.pod('blue')
    const { code, stdout } = await attach('blue')
    expect([code, JSON.parse(stdout)]).toMatchObject([
      0,
      { cniVersion: '1.1.0', ips: [{ address: '10.244.0.2/16', gateway: '10.244.0.1', interface: 2 }] },
    ])
    expect(node.held()).toEqual(['mynet blue'])
    expect(node.healthzFrom('blue', '10.244.0.1')).toMatch(/^HTTP\/1.1 200 /)
    expect(await detach('blue', stdout)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect([node.held(), node.links()]).toEqual([[], ['lo', 'cni0']])
    await expect
      .poll(() => daemon.lines.join('\n'))
      .toMatch(/"CNI call answered" command="ADD" plugin="bridge" network="mynet" .*tookMs=/)
    daemon.kill('SIGTERM')
    expect(await daemon.ended).toBe(0)
  })

  test('is not needed: the program beside the helper does the same on the same database', async () => {
    installation.addFallback()
    node.pod('blue')
    const { code, stdout } = await attach('blue')
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { ips: [{ address: '10.244.0.2/16' }] }])
    await node.startDaemon()
    node.pod('green')
    expect(JSON.parse((await attach('green')).stdout)).toMatchObject({ ips: [{ address: '10.244.0.3/16' }] })
    expect(node.held()).toEqual(['mynet blue', 'mynet green'])
    expect(node.healthzFrom('blue', '10.244.0.1')).toContain('200 OK')
    expect((await detach('blue', stdout)).code).toBe(0)
    expect(node.held()).toEqual(['mynet green'])
  })

  test('refuses to be the second one with one line', async () => {
    await node.startDaemon()
    await expect(node.startDaemon()).rejects.toThrow(/another daemon of this node serves at .*cni\.sock/)
  })

  test('gives no address twice and loses none, twelve hundred calls long, while it is killed and started again', {
    timeout: 600_000,
  }, async () => {
    installation.addFallback()
    let daemon = await node.startDaemon()
    const config = {
      cniVersion: '1.0.0',
      name: 'n',
      type: 'host-local',
      ipam: { type: 'host-local', subnet: '10.9.0.0/16' },
    }
    const given: string[] = []
    const call = async (command: string, container: string) => {
      const outcome = await node.call('host-local', { command, container, netns: '/run/netns/none', config })
      expect([command, outcome.code, outcome.stdout]).toMatchObject([command, 0, expect.anything()])
      if (command === 'ADD') given.push(JSON.parse(outcome.stdout).ips[0].address)
    }
    const worker = async (worker: number): Promise<void> => {
      for (let i = 0; i < 100; i++) {
        await call('ADD', `c${worker}-${i}`)
        if (i % 2 === 0) await call('DEL', `c${worker}-${i}`)
      }
    }
    const workers = Promise.all(Array.from({ length: 8 }, (_, i) => worker(i)))
    for (let i = 0; i < 5; i++) {
      daemon.kill('SIGKILL')
      await daemon.ended
      daemon = await node.startDaemon()
    }
    await workers
    expect(new Set(given).size).toBe(800)
    expect(node.held()).toHaveLength(400)
  })
})
