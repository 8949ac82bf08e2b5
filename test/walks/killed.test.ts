import { describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { paperKeep } from '#lab/paper/keep.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { PaperRulesetDump } from '#lab/paper/ruleset-dump.ts'
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

// A walk of processes that are killed at any time, each with what the last had written down, beside another program whose
// commits are heard, or lost, or made while no process runs: after each step the kernel has what a start from nothing would
// have written.

const parsed = await parseArguments('run', ['--cluster-cidr=10.244.0.0/16,fd00:244::/32'], () => Promise.reject())
if (!parsed.ok) throw new Error(parsed.problems.join())
const { settings } = parsed
const TOOLS = { family: 'ipv4', variant: 'nft', restore: 'iptables-nft-restore', save: 'iptables-nft-save' } as const
const AUTHOR = TOOLS.restore.slice(0, 15)
const around = nodeReader({ settings, family: 'ipv4', nodeName: 'here', hostNetwork: () => MACHINE })
const mode = iptables(TOOLS)

/** The node, which stays while processes come and go. */
class Node {
  readonly paper = new PaperKernel()
  readonly dump = new PaperRulesetDump(this.paper)
  readonly ruleset = new PaperRulesetWatch('exact', this.dump)
  readonly kept = new Map<string, string>()
  readonly way: Walk
  saves = 0

  constructor(seed: number) {
    this.way = new Walk(seed)
  }

  /** Every change shows in what is saved before and after it; a chain that is written anew as it was is touched as well. */
  async committed(author: string, change: () => Promise<readonly string[]>): Promise<void> {
    const before = await chainsOf(this.paper, TOOLS.save)
    const written = (await change()).map(chain => `add rule ip ${chain}`)
    const touches = [
      ...new Set([...touchesBetween(before, await chainsOf(this.paper, TOOLS.save), 'ip'), ...written]),
    ].map(touchOf)
    if (touches.length > 0 && author === 'unheard') this.ruleset.miss()
    else if (touches.length > 0) this.ruleset.commit(author, ...touches)
  }

  disturb(author = this.way.pick(['iptables 4711', 'iptables 4711', 'unheard'])!): Promise<void> {
    return this.committed(author, async () => {
      const chains = Object.keys(await chainsOf(this.paper, TOOLS.save))
      if (chains.length === 0) return []
      for (const argv of disturbance(this.way, chains, 'iptables-nft')) await this.paper.run(anyCommand(argv))
      return []
    })
  }

  kernel(): Kernel {
    return {
      run: async command => {
        if (command.argv[0] === TOOLS.save) this.saves++
        if (command.does === 'conntrack') return { code: 0, stdout: '', stderr: '' }
        if (command.does !== 'restore') return this.paper.run(command)
        let outcome = { code: 1, stdout: '', stderr: '' }
        await this.committed(AUTHOR, async () => {
          outcome = await this.paper.run(command)
          return outcome.code === 0 ? chainsWritten(command.input ?? '') : []
        })
        return outcome
      },
    }
  }
}

class Process {
  readonly clock = new PaperClock()
  readonly reports: Report[] = []
  readonly cluster = new Cluster()
  readonly lane: Lane
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #isKilled = false

  constructor(node: Node) {
    const keep = paperKeep(node.kept, () => !this.#isKilled)
    this.lane = new Lane({
      family: 'ipv4',
      cluster: this.cluster,
      mode,
      kernel: node.kernel(),
      ruleset: node.ruleset,
      keeping: { keep, identity: ['boot'], ...(node.way.happens(0.5) && { comparedFirst: 0 }) },
      clock: this.clock,
      limits: { minMs: 1000, retryMs: 1000, distrustMs: 1e9, unwatchedMs: 1e9 },
      nodeReader: around,
      onReport: report => this.reports.push(report),
    })
    for (const object of node.way.objects) this.cluster.apply({ type: 'put', object })
    for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) this.cluster.apply({ type: 'synced', kind })
    this.lane.touch([...this.cluster.services()].map(({ name }) => name))
    this.#running = this.lane.run(this.#stop.signal)
  }

  async ends(how: 'killed' | 'ended'): Promise<void> {
    this.#isKilled = how === 'killed'
    this.#stop.abort()
    await this.#running
    await this.lane.keep()
    this.lane.close()
  }
}

describe('a walk of 300 steps of processes that are killed', () => {
  test('leaves what a start from nothing would', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31)
    const node = new Node(seed)
    const { way } = node
    let process = new Process(node)
    const reports: Report[] = []
    let unread = 0
    for (let step = 0; step < 300; step++) {
      process.lane.touch(process.cluster.apply(way.step()).services)
      if (way.happens(0.4)) await node.disturb()
      await process.clock.advance(way.happens(0.5) ? 10 : 1500)
      if (way.happens(0.2)) {
        await process.ends(way.happens(0.7) ? 'killed' : 'ended')
        if (way.happens(0.5)) await node.disturb('iptables 4711')
        if (way.happens(0.2)) for (const [name, text] of node.kept) node.kept.set(name, broken(text, way))
        const { saves } = node
        reports.push(...process.reports)
        process = new Process(node)
        await process.clock.advance(0)
        if (node.saves === saves) unread++
      }
      await process.clock.advance(way.happens(0.5) ? 5000 : 120_000)
      compareUnits(await mode.read(node.paper), fromScratch(way, mode, around), `seed ${seed}, step ${step}`)
    }
    await process.ends('ended')
    reports.push(...process.reports)
    expect(reports.filter(({ failure }) => failure !== undefined)).toEqual([])
    expect(unread).toBeGreaterThan(10)
    expect(reports.filter(({ doubted }) => doubted > 0).length).toBeGreaterThan(20)
  }, 120_000)
})

function broken(text: string, way: Walk): string {
  const at = Math.floor(text.length * way.pick([0.1, 0.3, 0.5, 0.7, 0.9])!)
  return way.pick(['', text.slice(0, at), `${text.slice(0, at)}x${text.slice(at + 1)}`, text + text])!
}
