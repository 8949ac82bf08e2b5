import { describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { paperKeep } from '#lab/paper/keep.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { PaperRulesetWatch } from '#lab/paper/ruleset-watch.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import { Lane } from '#proxy/sync/lane.ts'
import type { Report } from '#proxy/sync/report.ts'
import { endpoint, port, service, slice, slicePort } from '../../../support/objects.ts'
import { VIEW } from '../view.ts'

// One process ends, and another starts on what it left: nothing is read where nothing was committed meanwhile.

const TOOLS = { family: 'ipv4', variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' } as const

class Node {
  readonly kernel = new PaperKernel()
  readonly ruleset = new PaperRulesetWatch()
  readonly kept = new Map<string, string>()
  identity = ['v1', 'boot']
  readonly #keep = paperKeep(this.kept)

  set({ identity = this.identity, complete = true }: { identity?: string[]; complete?: boolean }): void {
    this.identity = identity
    this.ruleset.complete = complete
  }

  /** A process that serves Services, each with this endpoint, and ends; returns what it ran and reported. */
  async process(ips: readonly string[], meanwhile: () => Promise<void> = async () => {}) {
    const clock = new PaperClock()
    const cluster = new Cluster()
    const reports: Report[] = []
    const lane = new Lane({
      family: 'ipv4',
      cluster,
      mode: iptables(TOOLS),
      kernel: {
        run: async command => {
          if (command.does === 'conntrack') return { code: 0, stdout: '', stderr: '' }
          if (command.does === 'restore') this.ruleset.commit('iptables-restor')
          return this.kernel.run(command)
        },
      },
      ruleset: this.ruleset,
      keeping: { keep: this.#keep, identity: this.identity },
      clock,
      limits: { minMs: 0, retryMs: 30_000, distrustMs: 1e9, unwatchedMs: 1e9 },
      nodeReader: () => ({
        thisNode: { family: 'ipv4', nodeName: 'here', masquerade: 'never' },
        view: VIEW,
        addresses: [],
      }),
      onReport: report => reports.push(report),
    })
    for (const [i, ip] of ips.entries()) {
      const name = `shop/s${i}`
      cluster.apply({ type: 'put', object: service(name, [`10.96.0.${i + 1}`], { ports: [port({ port: 80 })] }) })
      const object = slice(`${name}-1`, name, [endpoint(ip)], { ports: [slicePort(8080)] })
      cluster.apply({ type: 'put', object })
    }
    for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) cluster.apply({ type: 'synced', kind })
    lane.touch([...cluster.services()].map(({ name }) => name))
    const before = this.kernel.commands.length
    const stop = new AbortController()
    const running = lane.run(stop.signal)
    await clock.advance(0)
    await meanwhile()
    stop.abort()
    await running
    await lane.keep()
    lane.close()
    const ran = this.kernel.commands.slice(before).map(({ argv }) => argv[0])
    return { ran, reports }
  }
}

const IPS = ['10.1.0.1', '10.1.0.2', '10.1.0.3']

describe('a process that starts where another has ended', () => {
  test('reads nothing and writes nothing where nothing has changed', async () => {
    const node = new Node()
    expect((await node.process(IPS)).ran).toEqual(['iptables-save', 'iptables-restore'])
    const before = node.kernel.dump()
    const { ran, reports } = await node.process(IPS)
    expect([ran, reports.map(({ looked, failure }) => [looked, failure])]).toEqual([[], [[false, undefined]]])
    expect(node.kernel.dump()).toBe(before)
  })

  test('writes what has changed in the cluster meanwhile, and deletes what is gone', async () => {
    const node = new Node()
    await node.process(IPS)
    const { ran } = await node.process(['10.1.0.9', '10.1.0.2'])
    expect(ran.filter(program => program === 'iptables-save')).toEqual([])
    const fresh = new Node()
    await fresh.process(['10.1.0.9', '10.1.0.2'])
    expect(sorted(node.kernel.dump())).toEqual(sorted(fresh.kernel.dump()))
  })

  test.each([
    ['another commit', (node: Node) => node.ruleset.commit('nft')],
    ['another boot', (node: Node) => node.set({ identity: ['v1', 'later'] })],
    ['a broken text', (node: Node) => void node.kept.set('belief-ipv4', 'x')],
    ['a kernel that cannot be asked', (node: Node) => node.set({ complete: false })],
    ['no text', (node: Node) => node.kept.clear()],
  ])('reads all after %s', async (_, happens) => {
    const node = new Node()
    await node.process(IPS)
    await node.kernel.run(anyCommand(['iptables', '-t', 'nat', '-F']))
    happens(node)
    expect((await node.process(IPS)).ran).toEqual(['iptables-save', 'iptables-restore'])
  })

  test('reads all where the one before was not certain', async () => {
    const node = new Node()
    await node.process(IPS, async () => {
      await node.kernel.run(anyCommand(['iptables', '-t', 'nat', '-F', 'KUBE-SERVICES']))
      node.ruleset.commit('iptables', {
        family: 'ip',
        table: 'nat',
        verb: 'delete',
        kind: 'rule',
        name: 'KUBE-SERVICES',
      })
    })
    expect(node.kept.size).toBe(0)
    expect((await node.process(IPS)).ran).toEqual(['iptables-save', 'iptables-restore'])
  })
})

function sorted(dump: string): readonly string[] {
  return dump.split('\n').sort()
}
