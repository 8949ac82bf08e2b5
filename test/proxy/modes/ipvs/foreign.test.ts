import { canonicalChains } from 'iptables-parser'
import { expect, test } from 'vitest'
import { ipBatch, LIST_ADDRESSES } from '#dialects/ip.ts'
import { destroySets, LIST_SET_NAMES, SAVE_SETS } from '#dialects/ipset.ts'
import { changeServer, SAVE_SERVERS } from '#dialects/ipvs.ts'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { PaperRulesetWatch, touchOf } from '#lab/paper/ruleset-watch.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { Lane } from '#proxy/sync/lane.ts'
import type { Report } from '#proxy/sync/report.ts'
import { must } from '#system/must.ts'
import type { Command } from '#system/ports.ts'
import { nodeFacts } from '../../../support/flags.ts'
import { endpoint, port, service, slice, slicePort } from '../../../support/objects.ts'
import { FLAGS, modeOf, OWN } from './scene.ts'

// Another program flushes our rules: the kernel reports that at once, and nothing of sets or virtual servers.

const HOUR_MS = 3_600_000
const OBJECTS = [
  service('shop/web', ['10.96.0.10'], { type: 'NodePort', ports: [port({ port: 80, nodePort: 30080 })] }),
  slice('shop/web-1', 'shop/web', [endpoint('10.244.1.3'), endpoint('10.244.2.5')], { ports: [slicePort(8080)] }),
]
/** After the first failure. */
const RETRY_MS = 1000
const SAVED = ['ipset save', 'iptables-save', 'ipvsadm -Sn']

class Scene {
  readonly node = new PaperKernel({ ipvs: { addresses: OWN.ipv4 } })
  readonly ruleset = new PaperRulesetWatch()
  readonly clock = new PaperClock()
  readonly reports: Report[] = []
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  constructor() {
    const cluster = new Cluster()
    const lane = new Lane({
      family: 'ipv4',
      cluster,
      mode: modeOf('ipv4'),
      kernel: {
        run: async command =>
          command.does === 'conntrack' ? { code: 0, stdout: '', stderr: '' } : this.node.run(command),
      },
      ruleset: this.ruleset,
      clock: this.clock,
      limits: { minMs: 0, retryMs: 30_000, distrustMs: HOUR_MS, unwatchedMs: HOUR_MS },
      nodeReader: nodeFacts({ flags: FLAGS, family: 'ipv4', addresses: OWN.ipv4 }),
      onReport: report => this.reports.push(report),
    })
    for (const object of OBJECTS) lane.touch(cluster.apply({ type: 'put', object }).services)
    for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) cluster.apply({ type: 'synced', kind })
    lane.touch([])
    this.#running = lane.run(this.#stop.signal)
  }

  /** All rules and chains are deleted, and whatever else is done before the lane hears of it; returns what it runs then. */
  async flush(...more: readonly Command[]): Promise<readonly string[]> {
    const { commands } = this.node
    const touches = [...(await this.#chains())].flatMap(([table, chains]) =>
      [...chains.keys()].map(chain => touchOf(`delete rule ip ${table} ${chain}`)),
    )
    const input = ['nat', 'filter', 'mangle'].map(table => `*${table}\nCOMMIT\n`).join('')
    for (const command of [anyCommand(['iptables-restore'], { input }), ...more]) await must(this.node, command)
    const ran = commands.length
    this.ruleset.commit('iptables-restor 4711', ...touches)
    await this.clock.advance(0)
    return commands.slice(ran).map(({ argv }) => argv.join(' '))
  }

  /** Chains in the order of their names, and all else. */
  async state(): Promise<unknown> {
    const chains = [...(await this.#chains())].map(([table, chains]) => [table, [...chains].sort()])
    const printed = [SAVE_SETS, SAVE_SERVERS, LIST_ADDRESSES].map(
      async command => (await must(this.node, command)).stdout,
    )
    const lines = (await Promise.all(printed)).map(stdout => stdout.split('\n').sort())
    return { chains: chains.sort(), lines }
  }

  async #chains(): Promise<ReturnType<typeof canonicalChains>> {
    const { stdout } = await this.node.run(anyCommand(['iptables-save']))
    return canonicalChains(stdout)
  }

  async end(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }
}

test('rules that another program flushes are written again, and sets and virtual servers are not read', async () => {
  const here = new Scene()
  await here.clock.advance(0)
  const before = await here.state()
  const ran = await here.flush()
  expect(await here.state()).toEqual(before)
  expect(ran.filter(words => SAVED.includes(words))).toEqual([])
  expect(ran.filter(words => /restore|ipvsadm|-batch/.test(words))).toEqual([
    'iptables-restore -w 5 --noflush --counters',
  ])
  expect(here.reports.at(-1)).toMatchObject({ looked: false })
  await here.end()
})

test('where the sets are gone with the rules, the refusal of the rules shows it: everything is read and put right', async () => {
  const here = new Scene()
  await here.clock.advance(0)
  const before = await here.state()
  const sets = (await must(here.node, LIST_SET_NAMES)).stdout.trim().split('\n')
  const ran = await here.flush(
    destroySets(sets),
    // At an address that only kube-ipvs0 has, a virtual server counts as ours.
    changeServer('-A -t 10.96.0.201:80 -s rr'),
    ipBatch(['address add 10.96.0.201/32 dev kube-ipvs0']),
  )
  expect(SAVED.filter(words => !ran.includes(words))).toEqual([])
  // Without their records, servers at the node's own addresses are not known as ours, until the sets are there again.
  expect(here.reports.at(-1)?.failure?.error).toMatchObject({
    outcome: { stderr: expect.stringContaining('Service already exists') },
  })
  await here.clock.advance(RETRY_MS)
  expect(here.reports.at(-1)).toMatchObject({ looked: true })
  expect(here.reports.at(-1)?.failure).toBeUndefined()
  expect(await here.state()).toEqual(before)
  await here.end()
})
