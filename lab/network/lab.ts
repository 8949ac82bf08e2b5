import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { Host } from './host.ts'
import { calm, filtersBridges, forwards } from './host-settings.ts'
import { addNamespaces, inNamespace, ipLines, labName, removeLab } from './namespaces.ts'
import * as topology from './topology.ts'

// A kernel → a node with pods, another node, and a client beyond them, each in a network namespace of its own.

export interface PodOptions extends topology.Addresses {
  /** The name its listeners answer with, and the end of its namespace's name. */
  readonly name: string
}

export interface LabOptions {
  readonly pods?: readonly PodOptions[]
  /** By default bridged, as with most CNI plugins, where this kernel can; a test may need one of them. */
  readonly podNetwork?: topology.PodNetwork
  /** How long its hosts wait for an answer, where a call does not say; longer on a machine that is slow. */
  readonly patienceMs?: number | undefined
}

interface LabParts {
  readonly kernel: Kernel
  readonly name: string
  readonly families: readonly Family[]
  readonly podNetwork: topology.PodNetwork
  readonly patienceMs?: number | undefined
}

const TRIO = ['node', 'outside', 'remote'] as const

/** Connects the hosts and brings everything up; where that fails, nothing stays behind. Close it when done. */
export async function openLab(kernel: Kernel, { pods = [], podNetwork, patienceMs }: LabOptions = {}): Promise<Lab> {
  const name = labName(process.pid)
  try {
    const lab = new Lab({ ...(await connectHosts(kernel, name, podNetwork)), patienceMs })
    await lab.addPods(pods)
    return lab
  } catch (error) {
    await removeLab(kernel, name)
    throw error
  }
}

export class Lab {
  /** Every namespace of this lab has a name that starts with this. */
  readonly name: string
  /** IPv4, and IPv6 where this kernel has it. */
  readonly families: readonly Family[]
  readonly podNetwork: topology.PodNetwork
  readonly patienceMs: number | undefined
  /** Where the service proxy's rules go: `node.kernel`. */
  readonly node: Host
  readonly outside: Host
  /** Another node. Its pods are addresses: `remote.addAddress('10.244.2.3')`. */
  readonly remote: Host
  readonly #kernel: Kernel
  readonly #pods: Host[] = []
  #ports = 0
  #closed: Promise<void> | undefined

  constructor({ kernel, name, families, podNetwork, patienceMs }: LabParts) {
    this.#kernel = kernel
    this.name = name
    this.families = families
    this.podNetwork = podNetwork
    this.patienceMs = patienceMs
    this.node = this.#host({ name: 'node', ...topology.NODE })
    this.outside = this.#host({ name: 'outside', ...topology.OUTSIDE })
    this.remote = this.#host({ name: 'remote', ...topology.REMOTE })
  }

  /** The pods of this node, in the order they came. */
  get pods(): readonly Host[] {
    return this.#pods
  }

  async addPod(pod: PodOptions): Promise<Host> {
    const [host] = await this.addPods([pod])
    return host!
  }

  async addPods(pods: readonly PodOptions[]): Promise<readonly Host[]> {
    if (pods.length === 0) return []
    const hosts = pods.map(pod => this.#host(pod))
    const ports = hosts.map(() => `veth${++this.#ports}`)
    const namespaces = hosts.map(({ namespace }) => namespace)
    await addNamespaces(this.#kernel, namespaces)
    this.#pods.push(...hosts)
    await Promise.all(hosts.map(({ kernel }) => calm(kernel, this.families)))
    await must(this.node.kernel, ipLines(ports.map((port, i) => topology.podCable(port, namespaces[i]!))))
    await Promise.all(
      hosts.map(host => must(host.kernel, ipLines(topology.podLines(host, this.podNetwork, this.families)))),
    )
    await must(this.node.kernel, ipLines(topology.portLines(ports)))
    return hosts
  }

  /** Ends every program of the lab and removes its namespaces, and with them all addresses, rules and connections. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const hosts = [this.node, this.outside, this.remote, ...this.#pods]
    await Promise.all(hosts.map(host => host.stop()))
    await removeLab(this.#kernel, this.name)
  }

  #host(pod: PodOptions): Host {
    const { patienceMs } = this
    const own = { namespace: `${this.name}-${pod.name}`, families: this.families }
    return new Host(this.#kernel, { ...pod, ...own, ...(patienceMs !== undefined && { patienceMs }) })
  }
}

/** From nothing to three hosts that reach each other. */
async function connectHosts(kernel: Kernel, name: string, wanted: topology.PodNetwork | undefined): Promise<LabParts> {
  const namespaces = { node: `${name}-node`, outside: `${name}-outside`, remote: `${name}-remote` }
  const inside = (host: keyof typeof namespaces) => inNamespace(kernel, namespaces[host])
  await addNamespaces(kernel, Object.values(namespaces))
  const families = await forwards(inside('node'))
  const podNetwork = await choosePodNetwork(inside('node'), wanted)
  await Promise.all(TRIO.map(host => calm(inside(host), families)))
  await must(kernel, ipLines(topology.cables(namespaces)))
  await Promise.all([
    must(inside('node'), ipLines(topology.nodeLines(families))),
    must(inside('remote'), ipLines(topology.remoteLines(families))),
  ])
  await must(inside('outside'), ipLines(topology.outsideLines(families)))
  return { kernel, name, families, podNetwork }
}

async function choosePodNetwork(node: Kernel, wanted: topology.PodNetwork | undefined): Promise<topology.PodNetwork> {
  const filters = await filtersBridges(node, wanted === 'routed' ? 0 : 1)
  if (wanted === 'bridged' && filters === 'no') {
    throw new Error('this kernel has no bridge-netfilter (modprobe br_netfilter), which a bridged pod network needs')
  }
  return wanted ?? (filters === 'yes' ? 'bridged' : 'routed')
}
