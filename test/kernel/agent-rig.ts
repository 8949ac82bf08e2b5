import { parseArguments } from '#config/arguments.ts'
import type { Event } from '#kubernetes/event.ts'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { documents } from '#kubernetes/sources/files.ts'
import { anyCommand } from '#lab/any-command.ts'
import { type Lab, openLab, type PodOptions } from '#lab/network/lab.ts'
import { namespacePath, within } from '#lab/network/namespaces.ts'
import { RelayClient } from '#lab/network/relay/relay-client.ts'
import { Agent } from '#proxy/agent/agent.ts'
import { dataPlane } from '#proxy/agent/data-plane.ts'
import { openRulesetWatch } from '#proxy/agent/ruleset-watch.ts'
import { MonitorWatch, type MonitorWatchParts } from '#proxy/sync/commits/monitor-watch.ts'
import type { Report } from '#proxy/sync/report.ts'
import { systemClock } from '#system/clock.ts'
import { NetlinkWatch } from '#system/netlink/ruleset-watch.ts'
import type { Command, Follow, Keep, Kernel, RulesetWatch } from '#system/ports.ts'
import { follow } from '#system/processes/children.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { openLog } from '#telemetry/log/klog.ts'
import { flowsOf } from './flow-ways.ts'
import { HeldBackWatch } from './held-back-watch.ts'

// The whole agent on the node of a lab: objects go in one by one, and each call returns when the kernel has followed.

export interface RigOptions {
  readonly pods?: readonly PodOptions[]
  readonly objects?: readonly ClusterObject[]
  readonly flags?: readonly string[]
  readonly patienceMs?: number
  /** How the agent hears of commits: over netlink where it does not say. */
  readonly hears?: Hears
  /** Where it keeps what it believes for the next process. */
  readonly keep?: Keep
  /** How it has the kernel forget connections: over netlink where it does not say. */
  readonly forgets?: Forgets
}

type Hears = 'netlink' | 'netlink, 4 kB' | 'nft monitor'
type Forgets = 'over netlink' | 'by conntrack'

export const POD_FLAGS = [
  '--cluster-cidr=10.244.0.0/16,fd00:244::/32',
  '--hostname-override=here',
  '--iptables-min-sync-period=0s',
]

export class Rig {
  readonly lab: Lab
  readonly agent: Agent
  /** Every command the agent ran on the node, oldest first. */
  readonly commands: Command[]
  readonly reports: Report[]
  readonly logged: string[]
  readonly watch: HeldBackWatch
  readonly #queue: Queue<Event>
  readonly #stop: AbortController
  readonly #running: Promise<void>

  private constructor(
    parts: Pick<Rig, 'lab' | 'agent' | 'commands' | 'reports' | 'logged' | 'watch'> & {
      queue: Queue<Event>
      stop: AbortController
    },
  ) {
    this.lab = parts.lab
    this.agent = parts.agent
    this.commands = parts.commands
    this.reports = parts.reports
    this.logged = parts.logged
    this.watch = parts.watch
    this.#queue = parts.queue
    this.#stop = parts.stop
    this.#running = parts.agent.run(this.#stop.signal)
  }

  static async open({
    pods = [],
    objects = [],
    flags = [],
    patienceMs,
    hears = 'netlink',
    keep,
    forgets,
  }: RigOptions): Promise<Rig> {
    const lab = await openLab(hostKernel(), { pods, patienceMs })
    try {
      const rig = await Rig.#on(lab, flags, { hears, ...(keep && { keep }), ...(forgets && { forgets }) })
      const synced = (['Service', 'EndpointSlice', 'Node'] as const).map(kind => ({ type: 'synced', kind }) as const)
      await rig.apply([...objects.map(put), ...synced])
      return rig
    } catch (error) {
      await lab.close()
      throw error
    }
  }

  /** The agent of this node ends, and another starts on what it left; the cluster it sees is given anew. */
  async restart({ objects = [], flags = [], keep }: Pick<RigOptions, 'objects' | 'flags' | 'keep'>): Promise<Rig> {
    await this.stop()
    const next = await Rig.#on(this.lab, flags, keep === undefined ? {} : { keep })
    const synced = (['Service', 'EndpointSlice', 'Node'] as const).map(kind => ({ type: 'synced', kind }) as const)
    await next.apply([...objects.map(put), ...synced])
    return next
  }

  static async #on(
    lab: Lab,
    flags: readonly string[],
    { hears = 'netlink', keep, forgets = 'over netlink' }: Pick<RigOptions, 'hears' | 'keep' | 'forgets'>,
  ): Promise<Rig> {
    const parsed = await parseArguments('run', [...POD_FLAGS, ...flags], () =>
      Promise.reject(new Error('no file here')),
    )
    if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
    const queue = new Queue<Event>()
    const commands: Command[] = []
    const reports: Report[] = []
    const logged: string[] = []
    const stop = new AbortController()
    const recording: Kernel = {
      run: command => {
        commands.push(command)
        return lab.node.kernel.run(command)
      },
    }
    const { settings } = parsed
    const log = openLog({
      format: 'text',
      verbosity: 2,
      clock: systemClock,
      pid: 1,
      sink: { write: line => logged.push(line) },
    })
    const flows = forgets === 'over netlink' ? { flows: flowsOf(lab.node.namespace) } : {}
    const kernel = dataPlane({
      ...flows,
      settings,
      kernel: recording,
      log,
      lost: () => agent.distrust(),
      signal: stop.signal,
      relayOf: options => new RelayClient(lab.node.namespace, options),
    })
    const followThere: Follow = (argv, onLine) => follow(within(lab.node.namespace, argv), onLine)
    const watching = { clock: systemClock, follow: followThere }
    const watch = new HeldBackWatch(watchOf(hears, watching, namespacePath(lab.node.namespace)))
    const agent = await Agent.open({
      settings,
      nodeName: 'here',
      kernel,
      ...flows,
      follow: followThere,
      rulesetWatch: watch,
      ...(keep !== undefined && { keeping: { keep, identity: [lab.node.namespace] } }),
      clock: systemClock,
      log,
      source: signal => queue.until(signal),
      lastHeard: () => undefined,
      onReport: report => reports.push(report),
    })
    return new Rig({ lab, agent, commands, reports, logged, watch, queue, stop })
  }

  put(...objects: readonly ClusterObject[]): Promise<void> {
    return this.apply(objects.map(put))
  }

  remove({ kind, name }: ClusterObject): Promise<void> {
    return this.apply([{ type: 'gone', kind, name }])
  }

  yaml(text: string): Promise<void> {
    return this.apply(documents([{ name: 'test', text }]).filter(({ type }) => type !== 'synced'))
  }

  /** Resolves when every lane has carried out a sync that began after the last of these events. */
  async apply(events: readonly Event[]): Promise<void> {
    await this.#queue.drained(events)
    await this.settled()
  }

  async settled(): Promise<void> {
    const waiting = new Set(this.agent.lanes.map(({ family }) => family))
    const since = systemClock.now()
    for (const lane of this.agent.lanes) lane.touch([])
    while (waiting.size > 0) {
      await systemClock.sleep(5)
      // One that had begun before does not know of the events yet, and a packet that comes before its rules is lost for
      // good: the kernel keeps sending the whole connection where its first packet went.
      for (const report of this.reports.filter(({ startedAt }) => startedAt >= since)) {
        if (report.failure !== undefined) throw report.failure.error
        waiting.delete(report.family)
      }
    }
  }

  /** What the node's kernel has, without what changes by itself. */
  async save(program = 'iptables-save'): Promise<string> {
    const { stdout } = await this.lab.node.kernel.run(anyCommand([program]))
    return stdout
      .split('\n')
      .filter(line => !line.startsWith('#'))
      .map(line => line.replace(/\[\d+:\d+\]/, '[0:0]'))
      .join('\n')
  }

  /** The agent ends, and what it left stays on its node. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async close(): Promise<void> {
    await this.stop()
    await this.lab.close()
  }
}

function watchOf(hears: Hears, parts: MonitorWatchParts, namespace: string): RulesetWatch {
  if (hears === 'nft monitor') return new MonitorWatch(parts)
  if (hears === 'netlink') return openRulesetWatch({ ...parts, namespace })
  return NetlinkWatch.open({ clock: parts.clock, namespace, receiveBytes: 4096 })!
}

function put(object: ClusterObject): Event {
  return { type: 'put', object }
}

/** Events that come when they are pushed. */
class Queue<T> {
  readonly #items: T[] = []
  #wake: () => void = () => {}
  #idle: () => void = () => {}

  async drained(items: readonly T[]): Promise<void> {
    this.#items.push(...items)
    const idle = new Promise<void>(resolve => {
      this.#idle = resolve
    })
    this.#wake()
    await idle
  }

  async *until(signal: AbortSignal): AsyncGenerator<T> {
    while (!signal.aborted) {
      const item = this.#items.shift()
      if (item !== undefined) {
        yield item
        continue
      }
      this.#idle()
      await new Promise<void>(resolve => {
        this.#wake = resolve
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }
}
