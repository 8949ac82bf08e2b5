import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import type { Host } from '#lab/network/host.ts'
import { systemClock } from '#system/clock.ts'
import { cidr, endpoint, name, service, slice, slicePort } from '../support/objects.ts'
import { Rig } from './agent-rig.ts'
import { whyNot } from './ground.ts'

// Real hosts in the range of Services, and addresses in it that no host has, on the real kernel in nftables mode.

const why = await whyNot(['ip', 'nft', 'conntrack'])
/** The other node has it, and the node knows the way only as part of something larger. */
const LOST = '10.96.77.77'
const RANGE = { kind: 'ServiceCIDR', name: name('kubernetes'), cidrs: [cidr('10.96.0.0/12')] } as const

describe.skipIf(why !== undefined)(`addresses in the range of Services${why ? ` (skipped: ${why})` : ''}`, () => {
  let rig: Rig
  let client: Host

  beforeAll(async () => {
    rig = await Rig.open({
      pods: [{ name: 'client', ip4: '10.244.1.9', ip6: 'fd00:244:1::9' }],
      flags: ['--proxy-mode=nftables'],
      objects: [
        service('default/kubernetes', ['10.96.0.1']),
        slice('default/kubernetes', 'default/kubernetes', [endpoint(LOST)], { ports: [slicePort(8080)] }),
      ],
    })
    client = rig.lab.pods[0]!
    const { node, outside, remote } = rig.lab
    await remote.addAddress(LOST)
    await node.addRoute('10.96.0.0/11', '10.99.0.3')
    await remote.listen('tcp', 8080, { name: 'remote', addresses: ['10.99.0.3', LOST] })
    await outside.listen('tcp', 8080, { name: 'outside', addresses: ['10.99.0.1'] })
  })
  afterAll(() => rig?.close())

  const found = async (from: Host, to: string, port = 8080, timeoutMs = 10_000): Promise<string> => {
    const outcome = await from.connect({ to, port, timeoutMs })
    return outcome.ok ? outcome.answer.name : outcome.error
  }
  /** What no host answers takes its whole time. */
  const foundSoon = (from: Host): Promise<string> => found(from, LOST, 8080, 300)
  const until = async (wanted: string): Promise<void> => {
    const end = systemClock.now() + 40_000
    while ((await foundSoon(client)) !== wanted && systemClock.now() < end) await systemClock.sleep(50)
    expect(wanted === 'timeout' ? await foundSoon(client) : await found(client, LOST)).toBe(wanted)
  }

  test('are all routed where the cluster does not publish its ranges', async () => {
    expect(await found(client, LOST)).toBe('remote')
    expect(await found(rig.lab.node, LOST)).toBe('remote')
  })

  test('are dropped where no host has them, and left alone where a host really does', async () => {
    await rig.put(RANGE)
    expect(await foundSoon(client)).toBe('timeout')
    expect(await foundSoon(rig.lab.node)).not.toBe('remote')
    expect(await found(rig.lab.node, '10.99.0.1')).toBe('outside')
    expect(await found(client, '10.99.0.3')).toBe('remote')
  })

  test('are reached behind a Service', async () => {
    expect(await found(client, '10.96.0.1', 80)).toBe('remote')
    expect(await found(rig.lab.node, '10.96.0.1', 80)).toBe('remote')
  })

  test('are real as soon as a route says so, and as long', async () => {
    await rig.lab.node.addRoute(`${LOST}/32`, '10.99.0.3')
    await until('remote')
    await rig.lab.node.kernel.run(anyCommand(['ip', 'route', 'delete', `${LOST}/32`]))
    await until('timeout')
  })

  test('are routed again when the range goes', async () => {
    await rig.remove(RANGE)
    expect(await found(client, LOST)).toBe('remote')
  })
})
