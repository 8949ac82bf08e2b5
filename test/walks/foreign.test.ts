import { describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { PaperRulesetWatch, touchOf } from '#lab/paper/ruleset-watch.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import { nodeReader } from '#proxy/node/node-view.ts'
import { Lane } from '#proxy/sync/lane.ts'
import type { Report } from '#proxy/sync/report.ts'
import type { Kernel } from '#system/ports.ts'
import { chainsOf, chainsWritten, disturbance, touchesBetween } from '../support/foreign-program.ts'
import { Walk } from '../support/steps.ts'
import { compareUnits, fromScratch, MACHINE } from '../support/walk.ts'

// A walk beside another program that changes our rules all the time, also while commands of ours run: after each step the
// kernel has what a start from nothing would have written, and the whole ruleset was read once, at the start.

const parsed = await parseArguments('run', ['--cluster-cidr=10.244.0.0/16,fd00:244::/32'], () => Promise.reject())
if (!parsed.ok) throw new Error(parsed.problems.join())
const { settings } = parsed

describe.each(['ipv4', 'ipv6'] as const)('a walk of 300 steps beside a foreign program, on paper, %s', family => {
  test('leaves what a start from nothing would, and reads the ruleset once', async () => {
    const program = family === 'ipv4' ? 'iptables' : 'ip6tables'
    const tools = { family, variant: 'nft', restore: `${program}-nft-restore`, save: `${program}-nft-save` } as const
    const ours = tools.restore.slice(0, 15)
    const paper = new PaperKernel()
    const ruleset = new PaperRulesetWatch()
    const seed = Math.floor(Math.random() * 2 ** 31)
    const way = new Walk(seed)
    const mode = iptables(tools)
    let saves = 0
    let isOurs = false
    const ip = family === 'ipv4' ? 'ip' : 'ip6'
    /** Every change shows in what is saved before and after it; a chain that is written anew as it was is touched as well. */
    const committed = async (author: string, change: () => Promise<readonly string[]>): Promise<void> => {
      const before = await chainsOf(paper, tools.save)
      const written = (await change()).map(chain => `add rule ${ip} ${chain}`)
      const after = await chainsOf(paper, tools.save)
      const touches = [...new Set([...touchesBetween(before, after, ip), ...written])]
      if (touches.length > 0) ruleset.commit(author, ...touches.map(touchOf))
    }
    const disturb = (): Promise<void> =>
      committed(way.pick(['iptables 4711', `${ours} 4712`])!, async () => {
        for (const argv of disturbance(way, Object.keys(await chainsOf(paper, tools.save)), `${program}-nft`))
          await paper.run(anyCommand(argv))
        return []
      })
    const kernel: Kernel = {
      run: async command => {
        if (command.argv[0] === tools.save) saves++
        if (command.does === 'conntrack') return { code: 0, stdout: '', stderr: '' }
        if (command.does !== 'restore') return paper.run(command)
        let outcome = { code: 1, stdout: '', stderr: '' }
        await committed(ours, async () => {
          outcome = await paper.run(command)
          return outcome.code === 0 ? chainsWritten(command.input ?? '') : []
        })
        if (isOurs && way.happens(0.2)) await disturb()
        return outcome
      },
    }
    const cluster = new Cluster()
    const around = nodeReader({ settings, family, nodeName: 'here', hostNetwork: () => MACHINE })
    const reports: Report[] = []
    const clock = new PaperClock()
    const lane = new Lane({
      family,
      cluster,
      mode,
      kernel,
      ruleset,
      clock,
      limits: { minMs: 1000, retryMs: 1000, distrustMs: 1e9, unwatchedMs: 1e9 },
      nodeReader: around,
      onReport: report => reports.push(report),
    })
    const stop = new AbortController()
    for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) cluster.apply({ type: 'synced', kind })
    lane.touch([])
    const running = lane.run(stop.signal)
    await clock.advance(0)
    for (let step = 0; step < 300; step++) {
      lane.touch(cluster.apply(way.step()).services)
      isOurs = true
      if (way.happens(0.5)) await disturb()
      await clock.advance(way.happens(0.5) ? 10 : 1500)
      isOurs = false
      await clock.advance(120_000)
      compareUnits(await mode.read(paper), fromScratch(way, mode, around), `seed ${seed}, step ${step}`)
    }
    stop.abort()
    await running
    expect(reports.filter(({ doubted }) => doubted > 0).length).toBeGreaterThan(100)
    expect([saves, reports.filter(({ failure }) => failure !== undefined)]).toEqual([1, []])
  }, 120_000)
})
