import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceRangeFlags } from '#lab/api-server/services/service-ranges.ts'
import { Host } from '#lab/network/host.ts'
import { ipLines, labName, removeLab } from '#lab/network/namespaces.ts'
import { must } from '#system/must.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { buildProgram } from './bundle.ts'
import { ControlPlane } from './control-plane/control-plane.ts'
import { makeTemporary, removeTemporary } from './leftovers.ts'
import * as link from './link.ts'
import { openLink, plugNode } from './network.ts'
import { ClusterNode } from './node/cluster-node.ts'
import { makeFolders, nodeFolders } from './node/folders.ts'
import { logEnds } from './node/log-ends.ts'
import { nodeObject } from './node/node-object.ts'
import { agentFlags, daemonFlags, type NodeFlagOptions } from './node/program-flags.ts'
import { NodeWorld } from './node/world.ts'
import { patiently } from './patience.ts'
import { Shell } from './shell/commands.ts'
import { type NodeLifeOptions, Workloads } from './workloads.ts'

// A kernel → a cluster: nodes on one link with both programs of Switchyard on each, an API server, and what makes pods of
// objects. Whatever fails on the way, and when it is closed, nothing of it stays.

export interface ClusterOptions extends NodeFlagOptions {
  readonly nodes: number
  readonly clock: Clock
  readonly services?: ServiceRangeFlags
  /** Ranges of pods of nodes that are to have others than those of the map, by their numbers. */
  readonly podCIDRs?: Readonly<Record<number, readonly string[]>>
  /** Keeps the objects of the cluster. */
  readonly database?: string
  /** What pods are. */
  readonly runtime?: 'namespaces' | 'containerd'
  readonly nodeLife?: NodeLifeOptions
  /** A folder with the built program; without it, one is built. */
  readonly dist?: string
  /** The path of kubectl, on a machine that has it. */
  readonly kubectl?: string
  /** Called with a few words as each part begins. */
  readonly progress?: (doing: string) => void
  /** Ends the start between two parts. */
  readonly signal?: AbortSignal
}

interface ClusterParts {
  readonly kernel: Kernel
  readonly name: string
  readonly folder: string
  readonly families: readonly Family[]
  readonly dist: string
  readonly controlPlane: ControlPlane
  readonly workloads: Workloads
  readonly options: ClusterOptions
  readonly ends: AsyncDisposableStack
}

/** A machine that is busy with other things. */
const READY_WITHIN_MS = 120_000

const SERVICE_RANGES: ServiceRangeFlags = { clusterIPs: '10.96.0.0/12,fd10:96::/112' }

export async function openCluster(kernel: Kernel, options: ClusterOptions): Promise<Cluster> {
  const ends = new AsyncDisposableStack()
  let workloads: Workloads | undefined
  const progress = (doing: string): void => {
    options.signal?.throwIfAborted()
    options.progress?.(doing)
  }
  try {
    const name = labName(process.pid)
    const folder = makeTemporary(name)
    ends.defer(async () => removeTemporary(folder))
    ends.defer(() => removeLab(kernel, name))
    const dist = options.dist ?? join(folder, 'dist')
    if (options.dist === undefined) {
      progress('building the program')
      await buildProgram(kernel, dist)
    }
    progress('making the link between the nodes')
    const families = await openLink(kernel, `${name}-outside`)
    const controlPlane = await ControlPlane.start({
      ...{ folder, namespace: `${name}-outside`, port: link.API_PORT },
      addresses: link.ofFamilies(link.OUTSIDE, families),
      services: { ...SERVICE_RANGES, ...options.services },
      ...(options.database !== undefined && { database: options.database }),
      pods: node => workloads?.streamsOf(node),
      ...(options.nodeLife && { tolerationSeconds: Math.ceil(options.nodeLife.evictAfterMs / 1000) }),
    })
    ends.defer(() => controlPlane.close())
    const { kubeconfig } = controlPlane
    const log = (line: string): void => appendFileSync(join(folder, 'lab.log'), `${line}\n`)
    const { clock, runtime = 'namespaces', nodeLife } = options
    workloads = await Workloads.start({ kubeconfig, runtime, kernel, clock, log, ...(nodeLife && { nodeLife }) })
    const cluster = new Cluster({ kernel, name, folder, families, dist, controlPlane, workloads, options, ends })
    await cluster.populate(progress)
    return cluster
  } catch (error) {
    await workloads?.close()
    await ends.disposeAsync()
    throw error
  }
}

export class Cluster {
  readonly name: string
  /** Everything of the cluster that is a file. */
  readonly folder: string
  readonly families: readonly Family[]
  readonly controlPlane: ControlPlane
  readonly workloads: Workloads
  readonly shell: Shell
  /** The ranges of Services. */
  readonly services: ServiceRangeFlags
  /** A client beyond the cluster, on its link: what it sends to Services goes through the first node. */
  readonly outside: Host
  readonly #parts: ClusterParts
  readonly #nodes = new Map<number, ClusterNode>()

  constructor(parts: ClusterParts) {
    const { name, folder, families, controlPlane, workloads, kernel, dist, ends } = parts
    this.#parts = parts
    this.name = name
    this.folder = folder
    this.families = families
    this.services = { ...SERVICE_RANGES, ...parts.options.services }
    this.controlPlane = controlPlane
    this.workloads = workloads
    const { kubectl } = parts.options
    this.shell = new Shell({
      folder,
      dist,
      kubeconfig: controlPlane.kubeconfig,
      linkKubeconfig: controlPlane.linkKubeconfig,
      ...(kubectl !== undefined && { kubectl }),
    })
    this.shell.addNamespace('outside', `${name}-outside`)
    this.outside = new Host(kernel, { name: 'outside', namespace: `${name}-outside`, ...link.OUTSIDE, families })
    ends.defer(() => this.outside.stop())
  }

  get nodes(): readonly ClusterNode[] {
    return [...this.#nodes.values()].toSorted((a, b) => a.number - b.number)
  }

  /** What a cluster has when it is opened. */
  async populate(progress: (doing: string) => void): Promise<void> {
    const { options } = this.#parts
    progress(options.nodes === 1 ? 'starting the node' : `starting ${options.nodes} nodes`)
    const numbers = Array.from({ length: options.nodes }, (_, i) => i + 1)
    const outcomes = await Promise.allSettled(numbers.map(number => this.addNode(number)))
    const failed = outcomes.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
    const routes = link.serviceRouteLines(this.services.clusterIPs!.split(','), link.nodeAddresses(1), this.families)
    await must(this.outside.kernel, ipLines(routes))
    progress('waiting for the nodes')
    const { clock, signal } = options
    await patiently(this.workloads.nodesReady(), {
      ...{ clock, ...(signal && { signal }), withinMs: READY_WITHIN_MS },
      overdue: () => this.#notReady(),
    })
  }

  /** Its Node object, its network, and both programs on it. */
  async addNode(number: number): Promise<ClusterNode> {
    const { kernel, folder, families, dist, ends, options } = this.#parts
    const name = link.nodeName(number)
    const namespace = `${this.name}-${name}`
    await plugNode(kernel, { number, namespace, outside: this.outside.namespace, families })
    const folders = nodeFolders(join(folder, name))
    makeFolders(folders)
    const world = await NodeWorld.open(namespace, folders)
    ends.defer(() => world.close())
    const addresses = link.nodeAddresses(number)
    const { ip4, ip6 } = addresses
    const own = { number, name, namespace, kernel, world, folders, dist, ip4 }
    const node = new ClusterNode({ ...own, ...(families.includes('ipv6') && { ip6 }) })
    ends.defer(() => node.close())
    this.#nodes.set(number, node)
    this.shell.addNode(name, node.pid)
    const ofNode = options.podCIDRs?.[number] ?? link.nodePodCIDRs(number, families)
    const podCIDRs = options.ipam === 'ring' ? [] : ofNode
    this.controlPlane.api.store.put(nodeObject({ name, addresses: link.ofFamilies(addresses, families), podCIDRs }))
    const { nodeKubeconfig: kubeconfig } = this.controlPlane
    node.start('pods', daemonFlags({ name, kubeconfig, netD: folders.netD, families }, options))
    const flags = agentFlags({ name, kubeconfig, netD: folders.netD, families }, options)
    await node.prepare(flags)
    node.start('run', flags)
    this.workloads.addNode(node)
    return node
  }

  /** With other flags of `switchyard run`, as an update of its DaemonSet: the new one starts when the old one has ended. */
  async restartAgent(node: ClusterNode, flags: readonly string[]): Promise<void> {
    await node.stop('run')
    const { families } = this
    const access = { name: node.name, kubeconfig: this.controlPlane.nodeKubeconfig, netD: node.folders.netD, families }
    const words = agentFlags(access, { ...this.#parts.options, flags })
    await node.prepare(words)
    node.start('run', words)
  }

  #notReady(): string {
    const { lastTrouble } = this.workloads
    const why = lastTrouble === undefined ? '' : `: ${lastTrouble}`
    const waiting = this.nodes.filter(({ name }) => !this.workloads.isReady(name))
    return [`the nodes are not ready after ${READY_WITHIN_MS / 1000} s${why}`, ...logEnds(waiting)].join('\n')
  }

  /** Pods first: their networks are taken down by what runs on the nodes. */
  async close(): Promise<void> {
    await this.workloads.close()
    await this.#parts.ends.disposeAsync()
  }
}
