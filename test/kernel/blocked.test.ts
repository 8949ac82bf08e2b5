import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import type { Host } from '#lab/network/host.ts'
import { endpoint, port, service, slice, slicePort } from '../support/objects.ts'
import { Rig } from './agent-rig.ts'
import { whyNot } from './ground.ts'

// A chain of ours that ought to go while a foreign rule leads there: it is logged and emptied, and holds up nothing else.

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'conntrack'])
const HERE = { nodeName: 'here' }
const CART = service('shop/cart', ['10.96.0.20'], { ports: [port({ port: 80 })] })
const WEB = service('shop/web', ['10.96.0.10'], { ports: [port({ port: 80 })] })
const slices = (name: string, ...ips: readonly string[]) =>
  slice(
    `shop/${name}-4`,
    `shop/${name}`,
    ips.map(ip => endpoint(ip, HERE)),
    { ports: [slicePort(8080)] },
  )

describe.skipIf(why !== undefined)(`a chain that a foreign rule leads to${why ? ` (skipped: ${why})` : ''}`, () => {
  let rig: Rig
  let client: Host
  let chain: string

  beforeAll(async () => {
    const pod = (name: string, n: number) => ({ name, ip4: `10.244.1.${n}`, ip6: `fd00:244:1::${n}` })
    rig = await Rig.open({
      pods: [pod('web-1', 3), pod('web-2', 4), pod('client', 9)],
      objects: [CART, slices('cart', '10.244.1.3'), WEB, slices('web', '10.244.1.3')],
    })
    for (const host of rig.lab.pods.slice(0, 2)) await host.listen('tcp', 8080)
    client = rig.lab.pods[2]!
    chain = /^-A (KUBE-SVC-\w+) .*"shop\/cart/m.exec(await rig.save())![1]!
    await iptables('-N', 'FOREIGN')
    await iptables('-A', 'FOREIGN', '-p', 'tcp', '-j', chain)
  })
  afterAll(() => rig?.close())

  const iptables = (...words: readonly string[]) =>
    rig.lab.node.kernel.run(anyCommand(['iptables', '-t', 'nat', ...words]))
  const ofCart = async (): Promise<readonly string[]> =>
    (await rig.save()).split('\n').filter(line => line.includes(chain) || line.includes('shop/cart'))

  test('is emptied and logged when its Service goes, and traffic to the others follows their endpoints', async () => {
    await rig.apply([
      { type: 'gone', kind: 'Service', name: CART.name },
      { type: 'put', object: slices('web', '10.244.1.4') },
    ])
    expect(await ofCart()).toEqual([`:${chain} - [0:0]`, `-A FOREIGN -p tcp -j ${chain}`])
    const outcome = await client.connect({ to: '10.96.0.10', port: 80 })
    expect(outcome.ok && outcome.answer.name).toBe('web-2')
    const warnings = rig.logged.filter(line => line.startsWith('W'))
    expect(warnings).toEqual([expect.stringContaining('Emptied what cannot be deleted')])
    expect(warnings[0]).toContain(`nat ${chain}: -A FOREIGN -p tcp -j ${chain}`)
    expect(rig.logged.filter(line => line.startsWith('E'))).toEqual([])
    expect(rig.reports.filter(({ failure }) => failure !== undefined)).toEqual([])
  })

  test('costs the next change neither a look nor a word', async () => {
    rig.logged.length = 0
    const seen = rig.reports.length
    await rig.put(slices('web', '10.244.1.3'))
    expect(rig.reports.slice(seen).filter(({ looked }) => looked)).toEqual([])
    expect(rig.logged.filter(line => /^[EW]/.test(line))).toEqual([])
  })

  test('is as it was when its Service comes back', async () => {
    await rig.put(CART, slices('cart', '10.244.1.4'))
    const outcome = await client.connect({ to: '10.96.0.20', port: 80 })
    expect(outcome.ok && outcome.answer.name).toBe('web-2')
  })

  test('goes once no rule leads there', async () => {
    await rig.remove(CART)
    await iptables('-F', 'FOREIGN')
    rig.agent.distrust()
    await rig.settled()
    expect(await ofCart()).toEqual([])
  })
})
