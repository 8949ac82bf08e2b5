import { routeTo } from '#dialects/ip.ts'
import type { Explanation, Way } from '#explain/answer.ts'
import { explained } from '#explain/explained.ts'
import type { Directory, KnownPod } from '#explain/names/directory.ts'
import { fromIn, goalIn } from '#explain/names/party.ts'
import { type SourceParty, sourceOf, type TargetParty, targetsOf } from '#explain/names/resolved.ts'
import type { ExplainAnswer, ExplainedTarget, ExplainedWay, ExplainQuestion } from '#page/views/explain.ts'
import type { AddressSource } from '#page/views/pods.ts'
import type { Packet } from '#proxy/modes/trace.ts'
import type { Kernel } from '#system/ports.ts'
import { type Address, FAMILY_LABEL, familyOf, hostPort, parseAddress } from '#values/address.ts'
import type { Agent } from '../agent.ts'

// The question of the form → the way of that packet under the rules this agent wants, which it has in memory: they are neither
// drawn nor read for it.

export interface ExplainPagesParts {
  readonly agent: Pick<Agent, 'cluster' | 'lanes'>
  readonly nodeName: string
  readonly kernel: Kernel
  /** Of this node's pods, where a program gives them. */
  readonly addresses?: AddressSource | undefined
}

export async function explainAnswer({ from, to }: ExplainQuestion, parts: ExplainPagesParts): Promise<ExplainAnswer> {
  try {
    const directory = directoryOf(parts)
    const [party, goal] = [fromIn(from), goalIn(to)]
    const source = await sourceOf(party, directory)
    const [only, another] = source.addresses
    const family = goal.party.is !== 'address' && another === undefined ? familyOf(only!) : undefined
    const targets: ExplainedTarget[] = []
    for (const target of await targetsOf(goal, directory, family)) {
      targets.push(shown(await explanation({ source, target }, parts, directory)))
    }
    return { ok: true, targets }
  } catch (error) {
    // What is not there, or cannot be followed: a line each.
    return { ok: false, problem: (error as Error).message }
  }
}

interface Asked {
  readonly source: SourceParty
  readonly target: TargetParty
}

async function explanation(
  { source, target }: Asked,
  { agent, nodeName, kernel }: ExplainPagesParts,
  directory: Directory,
): Promise<Explanation> {
  const family = familyOf(target.to)
  const from = source.addresses.find(address => familyOf(address) === family)
  if (from === undefined) throw new Error(`FROM ${source.addresses.join(', ')} and TO ${target.to} are of two families`)
  if (source.node !== undefined && source.node !== nodeName)
    throw new Error(`${source.label} is on node ${source.node}, and a packet meets the rules of that node: ask there`)
  const lane = agent.lanes.find(one => one.family === family)
  const facts = lane?.draft.nodeFacts
  if (lane === undefined || facts === undefined) throw new Error(`this node has no rules for ${FAMILY_LABEL[family]}`)
  const nodeAddresses = [...facts.addresses, ...(agent.cluster.node?.addresses ?? [])]
  const via: Packet['via'] = nodeAddresses.includes(from)
    ? { hook: 'output' }
    : { hook: 'prerouting', iface: await interfaceTowards(kernel, from) }
  const { to, port, protocol } = target
  const pods = await directory.pods()
  return explained({
    from: { label: source.label, address: from },
    to: { label: target.label, address: to, port, protocol },
    ...{ node: nodeName, rules: 'wanted', mode: lane.draft.mode, ruleset: lane.draft.book.rules },
    packet: { protocol, from, to, port, via, nodeAddresses },
    asked: { cluster: agent.cluster, thisNode: facts.thisNode, view: facts.view },
    around: { nodes: directory.nodes, pods, leased: pods && new Set<string>(pods.flatMap(pod => pod.addresses)) },
    ...{ before: [], after: () => [] },
  })
}

/** The agent knows its own Node; pods are those that have leases here. */
function directoryOf({ agent: { cluster }, nodeName, addresses }: ExplainPagesParts): Directory {
  const { node } = cluster
  const nodes = node === undefined ? [] : [node]
  const pods = async () => (addresses?.isThere() ? podsIn(addresses, nodeName) : undefined)
  return { cluster, nodes, nodeName, namespace: 'default', pods }
}

function podsIn(addresses: AddressSource, node: string): readonly KnownPod[] {
  const rows = (addresses.networks() ?? []).flatMap(network => network.rows)
  const held = rows.flatMap(({ pod, ip, until }) => {
    const address = parseAddress(ip)
    return pod === undefined || address === undefined || until !== undefined ? [] : [{ pod, address }]
  })
  return [...Map.groupBy(held, ({ pod }) => pod)].map(([pod, own]) => ({
    ...{ pod, node, addresses: own.map(({ address }) => address), isFinished: false, isOnHost: false },
  }))
}

/** A packet is taken to come in where its answer would go out. */
async function interfaceTowards(kernel: Kernel, from: Address): Promise<string> {
  const { stdout } = await kernel.run(routeTo(from))
  return / dev (\S+)/.exec(stdout)?.[1] ?? 'eth0'
}

function shown({ from, to, ways, reason, findings }: Explanation): ExplainedTarget {
  const goal = `${hostPort(to.address, to.port)}/${to.protocol}`
  return {
    from: from.label === from.address ? from.label : `${from.label} (${from.address})`,
    to: to.label === '' ? goal : `${to.label} (${goal})`,
    ways: ways.map(wayOf),
    ...(reason !== undefined && { reason: reason.text }),
    findings,
  }
}

function wayOf({ share, hops, end, source }: Way): ExplainedWay {
  return {
    ...{ share, steps: hops, arrives: end.to === 'endpoint' },
    end: end.to === 'endpoint' ? `arrives at ${end.endpoint}` : ENDS[end.to],
    ...(source !== undefined && { source }),
  }
}

const ENDS = {
  rejected: 'is refused',
  dropped: 'is dropped',
  untouched: 'is no concern of ours: it goes where its address says',
} as const
