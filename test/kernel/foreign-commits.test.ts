import { afterEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { systemClock } from '#system/clock.ts'
import { endpoint, port, service, slice, slicePort } from '../support/objects.ts'
import { sameLines } from '../support/same-lines.ts'
import { Rig, type RigOptions } from './agent-rig.ts'
import { whyNot } from './ground.ts'

// Another program commits more than anyone can follow, or at the worst moment: once it is quiet the rules are right by themselves.

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'nft', 'conntrack'])
const HERE = { nodeName: 'here' }
const SERVICES = Array.from({ length: 60 }, (_, i) => `shop/s${i}`)
const PATIENCE_MS = 30_000

const served = (name: string, i: number, ...ips: readonly string[]) => [
  service(name, [`10.96.0.${i + 1}`], { ports: [port({ port: 80 })] }),
  slice(
    `${name}-4`,
    name,
    ips.map(ip => endpoint(ip, HERE)),
    { ports: [slicePort(8080)] },
  ),
]

describe.skipIf(why !== undefined)(`foreign commits${why ? ` (skipped: ${why})` : ''}`, () => {
  let rig: Rig
  afterEach(() => rig.close())

  const open = async (options: RigOptions): Promise<void> => {
    rig = await Rig.open({ objects: SERVICES.flatMap((name, i) => served(name, i, '10.244.1.3')), ...options })
  }
  const restore = (lines: readonly string[]) =>
    rig.lab.node.kernel.run(anyCommand(['iptables-nft-restore', '--noflush'], { input: `${lines.join('\n')}\n` }))
  const rightAfterQuiet = async (isRight: (save: string) => boolean): Promise<string> => {
    const startedAt = systemClock.now()
    let save = await rig.save()
    while (systemClock.now() < startedAt + PATIENCE_MS && !isRight(save)) {
      await systemClock.sleep(20)
      save = await rig.save()
    }
    console.log(`right after ${(systemClock.now() - startedAt).toFixed(0)} ms`)
    return save
  }

  test('ten thousand in a burst', async () => {
    await open({})
    const wanted = await rig.save()
    const one = ['*nat', '-I KUBE-SERVICES -j RETURN', 'COMMIT']
    const chains = wanted.split('\n').flatMap(line => /^:(KUBE-SVC-\S+)/.exec(line)?.[1] ?? [])
    const others = chains.flatMap(chain => ['*nat', `-F ${chain}`, 'COMMIT'])
    const commits = 10_000
    const blocks = Array.from({ length: commits - chains.length }, () => one).flat()
    await restore([...blocks, ...others])
    sameLines(await rightAfterQuiet(save => save === wanted), wanted)
    expect(rig.reports.filter(({ failure }) => failure !== undefined)).toEqual([])
  }, 120_000)

  test.each(['netlink, 4 kB', 'netlink'] as const)('a flush that the receive buffer may not hold: %s', async hears => {
    await open({ hears })
    const wanted = await rig.save()
    await rig.lab.node.kernel.run(anyCommand(['iptables', '-t', 'nat', '-F']))
    sameLines(await rightAfterQuiet(save => save === wanted), wanted)
  })

  test('a flush while a command of ours runs', async () => {
    await open({})
    const lines = (await rig.save()).split('\n').length
    for (let round = 0; round < 5; round++) {
      const ip = `10.244.1.${10 + round}`
      const changing = rig.put(...SERVICES.flatMap((name, i) => served(name, i, ip)))
      await systemClock.sleep(round * 7)
      await rig.lab.node.kernel.run(anyCommand(['iptables', '-t', 'nat', '-F']))
      await changing
      // Every line is back, and the last change is in them.
      const leadsTo = (save: string) =>
        save.split('\n').filter(line => line.includes(`--to-destination ${ip}:8080`)).length
      const found = await rightAfterQuiet(
        save => save.split('\n').length === lines && leadsTo(save) === SERVICES.length,
      )
      rig.agent.distrust()
      await rig.settled()
      sameLines(found, await rig.save())
      expect(leadsTo(found)).toBe(SERVICES.length)
    }
  })
})
