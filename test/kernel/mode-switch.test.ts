import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClusterObject } from '../../src/api/objects.ts'
import { systemClock } from '../../src/system/clock.ts'
import type { Host } from '../../src/verbs/sandbox/host.ts'
import { endpoint, port, service, slice, slicePort } from '../objects.ts'
import { whyNot } from './ground.ts'
import { Rig } from './rig.ts'

// A node changes its mode under traffic: the new rules stand before the old ones go.

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'nft', 'conntrack'])
const HERE = { nodeName: 'here' }
const OBJECTS: readonly ClusterObject[] = [
  service('shop/web', ['10.96.0.10', 'fd10:96::10'], {
    type: 'NodePort',
    ports: [port({ port: 80, nodePort: 30080 })],
  }),
  slice('shop/web-4', 'shop/web', [endpoint('10.244.1.3', HERE)], { ports: [slicePort(8080)] }),
  slice('shop/web-6', 'shop/web', [endpoint('fd00:244:1::3', HERE)], { ports: [slicePort(8080)] }),
]

describe.skipIf(why !== undefined)(`a node that changes its mode${why ? ` (skipped: ${why})` : ''}`, () => {
  let rig: Rig
  let client: Host
  beforeAll(async () => {
    const pod = (name: string, n: number) => ({ name, ip4: `10.244.1.${n}`, ip6: `fd00:244:1::${n}` })
    rig = await Rig.open({ pods: [pod('web', 3), pod('client', 9)], objects: OBJECTS })
    await rig.lab.pods[0]!.listen('tcp', 8080)
    client = rig.lab.pods[1]!
  })
  afterAll(() => rig?.close())

  test.each([
    ['iptables', 'nftables'],
    ['nftables', 'iptables'],
  ])('from %s to %s loses no connection of a client that connects every 10 ms', async (_, to) => {
    let on = true
    const failures: string[] = []
    let connections = 0
    const knocking = (async () => {
      while (on) {
        const outcomes = await Promise.all([
          client.connect({ to: '10.96.0.10', port: 80 }),
          client.connect({ to: 'fd10:96::10', port: 80 }),
          rig.lab.outside.connect({ to: '10.99.0.2', port: 30080 }),
        ])
        for (const outcome of outcomes) if (!outcome.ok) failures.push(outcome.error)
        connections += outcomes.length
        await systemClock.sleep(10)
      }
    })()
    rig = await rig.restart({ objects: OBJECTS, flags: [`--proxy-mode=${to}`, '--nodeport-addresses=10.99.0.0/24'] })
    await until(() => rig.logged.filter(line => line.includes('Removed the rules of another mode')).length === 2)
    await systemClock.sleep(200)
    on = false
    await knocking
    expect(failures).toEqual([])
    expect(connections).toBeGreaterThan(30)
  })

  test('leaves nothing of the mode it had', async () => {
    const { stdout } = await rig.lab.node.kernel.run({ argv: ['nft', 'list', 'tables'] })
    expect(stdout).not.toContain('kube-proxy')
    rig = await rig.restart({ objects: OBJECTS, flags: ['--proxy-mode=nftables'] })
    await until(() => rig.logged.filter(line => line.includes('Removed the rules of another mode')).length === 2)
    for (const save of ['iptables-save', 'ip6tables-save']) {
      const left = (await rig.save(save))
        .split('\n')
        .filter(line => /KUBE-/.test(line) && !line.includes('KUBE-FIREWALL'))
      expect(left).toEqual([])
    }
  })
})

async function until(condition: () => boolean): Promise<void> {
  const end = systemClock.now() + 10_000
  while (!condition()) {
    if (systemClock.now() > end) throw new Error(`not within ten seconds: ${condition}`)
    await systemClock.sleep(20)
  }
}
