import type { Invocation } from '#command-line/start.ts'
import type { Explanation } from '#explain/answer.ts'
import { explained } from '#explain/explained.ts'
import type { Directory } from '#explain/names/directory.ts'
import { fromIn, type Goal, goalIn, type Party } from '#explain/names/party.ts'
import { podSource, type SourceParty, sourceOf, type TargetParty, targetsOf } from '#explain/names/resolved.ts'
import { type Landscape, stationsAfter, stationsBefore } from '#explain/pods/stations.ts'
import type { Node } from '#kubernetes/objects.ts'
import { needsOf } from '#proxy/agent/fit-mode.ts'
import type { Cluster } from '#proxy/cluster/cluster.ts'
import type { Packet } from '#proxy/modes/trace.ts'
import { NO_HOST_NETWORK, readHostNetwork } from '#proxy/node/host-network.ts'
import type { HostNetwork } from '#proxy/node/node-view.ts'
import type { Networks } from '#system/network/network.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import { type Address, type Family, familyOf, parseAddress } from '#values/address.ts'
import { attachmentsOf, leasesHere, nodeNetwork } from '../node/network.ts'
import type { ClusterView } from '../source/view.ts'
import { connectionsInTheWay } from './connections.ts'
import { clusterRules, kernelRules, type NodeRules } from './node-rules.ts'
import { othersFirst } from './others-first.ts'
import { sentPacket } from './sent.ts'
import { interfaceOf } from './via.ts'

// FROM and TO, a cluster and this machine → explanations, one for each port that is meant.

export interface AskParts {
  readonly settings: Invocation['settings']
  /** Undefined where no objects are known: the kernel's rules alone are followed. */
  readonly view: ClusterView | undefined
  readonly nodeName: string
  readonly kernel: Kernel
  readonly networks: Networks
  readonly clock: Clock
}

export interface AskedWords {
  /** Absent: a pod of this node, or the node where it has none. */
  readonly from: string | undefined
  readonly to: string
}

export async function ask({ from, to }: AskedWords, parts: AskParts): Promise<readonly Explanation[]> {
  const [party, goal] = [from === undefined ? undefined : fromIn(from), goalIn(to)]
  const { questions } = parts.settings
  const leases = leasesHere(questions.database, parts.clock.now())
  const nodes = (await parts.view?.allNodes()) ?? parts.view?.nodes ?? []
  const known = new Question(parts, leases ?? [], nodes)
  const source = await known.source(party, goal)
  const explanations: Explanation[] = []
  for (const one of await known.pairs(source, goal)) explanations.push(await known.answer(one, leases))
  return explanations
}

interface Pair {
  readonly source: SourceParty
  readonly address: Address
  readonly target: TargetParty
}

type Leases = NonNullable<ReturnType<typeof leasesHere>>

class Question {
  readonly #parts: AskParts
  readonly #leases: Leases
  readonly #nodes: readonly Node[]
  #pods: ReturnType<Directory['pods']> | undefined

  constructor(parts: AskParts, leases: Leases, nodes: readonly Node[]) {
    this.#parts = parts
    this.#leases = leases
    this.#nodes = nodes
  }

  async source(party: Party | undefined, goal: Goal): Promise<SourceParty> {
    if (party !== undefined) return sourceOf(party, this.#directory)
    const { nodeName } = this.#directory
    // What TO names is looked up first: a mistake there is the one to name.
    await targetsOf(goal, this.#directory, undefined)
    const pods = othersFirst((await this.#directory.pods()) ?? [], goal, this.#directory)
    const { nodes } = this.#directory
    // Where this machine is no node, any pod will do.
    const isNode = nodes.length === 0 || nodes.some(({ name }) => name === nodeName)
    const pod = pods.find(
      one => (!isNode || one.node === nodeName) && !one.isFinished && !one.isOnHost && one.addresses.length > 0,
    )
    if (pod !== undefined) return podSource(pod)
    if (goal.party.is === 'address')
      return sourceOf({ is: 'node' }, this.#directory).catch(() => this.#anyAddress(goal))
    return sourceOf({ is: 'node' }, this.#directory)
  }

  #anyAddress({ party }: Goal): never {
    throw new Error(
      `FROM: must be given for ${party.is === 'address' ? party.address : 'this'}: no pod of this node is known`,
    )
  }

  /** Of one family each. */
  async pairs(source: SourceParty, goal: Goal): Promise<readonly Pair[]> {
    const isGiven = source.addresses.length === 1
    const family = isGiven && goal.party.is !== 'address' ? familyOf(source.addresses[0]!) : undefined
    const targets = await targetsOf(goal, this.#directory, family)
    return targets.map(target => {
      const address = source.addresses.find(one => familyOf(one) === familyOf(target.to))
      if (address === undefined)
        throw new Error(
          `FROM ${source.addresses.join(', ')} and TO ${target.to} are of two families: both must be IPv4, or both IPv6`,
        )
      return { source, address, target }
    })
  }

  async answer({ source, address, target }: Pair, leases: Leases | undefined): Promise<Explanation> {
    const { settings, view, kernel, networks, clock } = this.#parts
    const node = this.#nodeOf(source, target)
    const family = familyOf(target.to)
    const isHere = this.#isHere(node)
    const atNode = source.node === undefined ? 'sends to node' : 'is on node'
    if (settings.questions.live && !isHere)
      throw new Error(
        `--live: ${source.label} ${atNode} ${node}, whose kernel cannot be asked from here; run this there`,
      )
    if (settings.questions.send && !isHere) throw new Error(`--send: ${source.label} ${atNode} ${node}; run this there`)
    const hostNetwork = isHere ? await readHostNetwork(kernel, needsOf(settings)) : NO_HOST_NETWORK
    const rules = await this.#rules({ node, family, hostNetwork })
    const packet = await this.#packet({ source, address, target }, rules, isHere)
    const network = isHere ? await nodeNetwork(networks) : undefined
    const pods = (await this.#directory.pods()) ?? []
    const landscape = async (addresses: readonly Address[]): Promise<Landscape> => ({
      ...{ nodeName: node, nodes: this.#directory.nodes, pods, network },
      attachments: isHere ? await attachmentsOf(addresses, this.#leases, networks) : [],
    })
    const around = {
      ...{ nodes: this.#directory.nodes, pods: view === undefined ? undefined : await view.pods() },
      leased: leases && new Set<string>(leases.map(lease => lease.address)),
    }
    const draw = async (after: Landscape | undefined): Promise<Explanation> =>
      explained({
        ...rules,
        from: { label: source.label, address },
        to: { label: target.label, address: target.to, port: target.port, protocol: target.protocol },
        ...{ node, packet, around },
        rules: view === undefined || settings.questions.live ? 'of the kernel' : 'wanted',
        before: stationsBefore(address, target.to, await landscape([address])),
        after: endpoint => (after === undefined ? [] : stationsAfter(endpoint, after)),
      })
    // Namespaces of endpoints are looked into once it is known which they are.
    const first = await draw(undefined)
    const reached = first.ways.flatMap(({ end }) => (end.to === 'endpoint' ? [addressIn(end.endpoint)] : []))
    const whole = await draw(await landscape([...reached.filter(one => one !== undefined), target.to]))
    if (!isHere) return whole
    const findings = [...whole.findings, ...(await connectionsInTheWay(packet, whole, kernel))]
    const explanation = { ...whole, findings }
    if (!settings.questions.send) return explanation
    const namespace = this.#leases.find(lease => lease.address === address)?.netns
    const from = { ...(namespace !== undefined && { namespace }) }
    if (packet.via.hook === 'prerouting' && namespace === undefined)
      throw new Error(
        `--send: ${address} is neither an address of this node nor of a pod that has a lease here, so nothing can be sent from it`,
      )
    return { ...explanation, sent: await sentPacket({ packet, explanation, mode: rules.mode, kernel, clock, ...from }) }
  }

  get #directory(): Directory {
    const { view, nodeName } = this.#parts
    const { cluster, namespace } = view ?? { cluster: EMPTY, namespace: 'default' }
    return { cluster: cluster as Cluster, nodes: this.#nodes, namespace, nodeName, pods: () => this.#knownPods() }
  }

  /** With what the leases of this node say of its pods. */
  #knownPods(): ReturnType<Directory['pods']> {
    this.#pods ??= (async () => {
      const listed = await this.#parts.view?.pods()
      const here = Map.groupBy(
        this.#leases.filter(({ pod }) => pod !== undefined),
        ({ pod }) => pod!,
      )
      const leased = [...here].map(([pod, own]) => ({
        ...{ pod, node: this.#parts.nodeName, addresses: own.map(({ address }) => address) },
        ...{ isFinished: false, isOnHost: false },
      }))
      return listed ?? (leased.length > 0 ? leased : undefined)
    })()
    return this.#pods
  }

  /** A packet meets the rules of the node it is sent on, and from beyond the cluster of the node it is sent to. */
  #nodeOf({ node }: SourceParty, { to }: TargetParty): string {
    return node ?? this.#nodes.find(({ addresses }) => addresses.includes(to))?.name ?? this.#parts.nodeName
  }

  /** Files are about the machine they are read on, as far as they do not say otherwise. */
  #isHere(node: string): boolean {
    const { view, nodeName } = this.#parts
    return view === undefined || view.by !== 'api' ? node === nodeName || view?.by === 'files' : node === nodeName
  }

  #rules({
    node,
    family,
    hostNetwork,
  }: {
    readonly node: string
    readonly family: Family
    readonly hostNetwork: HostNetwork
  }) {
    const { settings, view, kernel } = this.#parts
    if (view === undefined) return kernelRules({ settings, family, kernel, hostNetwork })
    const { cluster } = view
    const own = this.#nodes.find(({ name }) => name === node)
    if (own !== undefined && cluster.node !== own) cluster.apply({ type: 'put', object: own })
    const rules = settings.questions.live ? 'of the kernel' : 'wanted'
    return clusterRules({ settings, family, kernel, hostNetwork, cluster, nodeName: node, rules })
  }

  async #packet({ source, address, target }: Pair, rules: NodeRules, isHere: boolean): Promise<Packet> {
    const { to, port, protocol } = target
    const { nodeAddresses } = rules
    if (nodeAddresses.includes(address))
      return { protocol, from: address, to, port, nodeAddresses, via: { hook: 'output' } }
    const iface = await interfaceOf({
      source,
      address,
      view: rules.asked?.view,
      kernel: isHere ? this.#parts.kernel : undefined,
    })
    return { protocol, from: address, to, port, nodeAddresses, via: { hook: 'prerouting', iface } }
  }
}

/** Stands in where no objects are known. */
const EMPTY = { service: () => undefined, services: () => [] } as unknown as Cluster

function addressIn(endpoint: string): Address | undefined {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([\d.]+)):/.exec(endpoint) ?? []
  return parseAddress(bracketed ?? plain)
}
