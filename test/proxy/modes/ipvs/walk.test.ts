import { expect, test } from 'vitest'
import { restoreServers, SAVE_SERVERS } from '#dialects/ipvs.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { LINGERING, type Ruleset } from '#proxy/modes/mode.ts'
import { Lane } from '#proxy/sync/lane.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import type { Command, Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { DyingTools } from '../../../support/dying-tools.ts'
import { nodeFacts } from '../../../support/flags.ts'
import { Walk } from '../../../support/steps.ts'
import { unitText } from '../../../support/units.ts'
import { FLAGS, modeOf, OWN, rulesOf } from './scene.ts'

// Many steps in random order; now and then a tool is killed half way through what it was given, and sometimes the agent with
// it. After each, the node has exactly what a start from nothing would have given it, and what others have is as it was.

const STEPS = 300
const LIMITS = { minMs: 0, retryMs: 1, distrustMs: 1e9, unwatchedMs: 1e9 }

/** At the node's own address, with a port that is none of ours; elsewhere, with one that may be; and by mark. */
const THEIRS = {
  ipv4: ['-t 10.99.0.2:7777', '-t 192.0.2.1:30001', '-f 7'].flatMap(at => [
    `-A ${at} -s wlc`,
    `-a ${at} -r 192.0.2.9:80 -m -w 7`,
  ]),
  ipv6: ['-t [fd00:99::2]:7777', '-u [2001:db8::1]:30001'].flatMap(at => [
    `-A ${at} -s wlc`,
    `-a ${at} -r [2001:db8::9]:80 -m -w 7`,
  ]),
} as const

test.each(['ipv4', 'ipv6'] as const)(
  'a walk of 300 steps, with tools and agents killed on the way, %s',
  async family => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const way = new Walk(seed)
    const node = new PaperKernel({ ipvs: { addresses: OWN[family] } })
    await must(node, restoreServers(THEIRS[family]))
    const tools = new DyingTools(node)
    const cluster = new Cluster()
    let lane = laneOf(cluster, family, tools)
    let deaths = 0
    for (let step = 0; step < STEPS; step++) {
      lane.touch(cluster.apply(way.step()).services)
      if (way.happens(0.15)) tools.dieAfter(way.happens(0.5) ? 0 : Math.floor(Math.exp(way.happens(0.5) ? 1 : 3)))
      for (;;) {
        const ran = node.commands.length
        const { failure } = await lane.once()
        expect(runTooOften(node.commands.slice(ran)), `seed ${seed}, step ${step}`).toEqual([])
        if (failure === undefined) break
        deaths++
        if (deaths > STEPS) throw failure.error
        if (way.happens(0.5)) {
          lane = laneOf(cluster, family, tools)
          lane.touch([...cluster.services()].map(({ name }) => name))
        }
      }
      const wanted = rulesOf(way.objects, family)
      expect(differences(await modeOf(family).read(node), wanted), `seed ${seed}, step ${step}`).toEqual([])
      const { stdout } = await must(node, SAVE_SERVERS)
      expect(THEIRS[family].filter(line => !stdout.includes(`${line}\n`))).toEqual([])
    }
    expect(deaths).toBeGreaterThan(10)
  },
  120_000,
)

function laneOf(cluster: Cluster, family: Family, kernel: Kernel): Lane {
  const mode = modeOf(family)
  const nodeReader = nodeFacts({ flags: FLAGS, family, addresses: OWN[family] })
  return new Lane({ family, cluster, mode, kernel, clock: systemClock, limits: LIMITS, nodeReader, onReport: () => {} })
}

/** What lingers is there only where it was before. */
function differences(found: Ruleset, wanted: Ruleset): readonly string[] {
  const missing = [...wanted].filter(
    ([unit, text]) => found.get(unit) !== text && !(text === LINGERING && !found.has(unit)),
  )
  const extra = [...found].filter(([unit]) => !wanted.has(unit))
  return [
    ...missing.map(([unit, text]) => `missing: ${unitText(unit)}: ${text}, found: ${found.get(unit)}`),
    ...extra.map(([unit, text]) => `extra: ${unitText(unit)}: ${text}`),
  ]
}

/** Each tool is run once to write something; ipset before and after the virtual servers. */
function runTooOften(commands: readonly Command[]): readonly string[] {
  const writes = commands.filter(({ input }) => input !== undefined).map(({ argv }) => argv[0])
  const runs = [...Map.groupBy(writes, name => name)]
  return runs.filter(([name, { length }]) => length > (name === 'ipset' ? 2 : 1)).map(([name]) => name)
}
