import type { Invocation } from '#command-line/start.ts'
import { modeToRead, needsOf } from '#proxy/agent/fit-mode.ts'
import type { Cluster } from '#proxy/cluster/cluster.ts'
import type { ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Mode, Plan, Ruleset, Unit } from '#proxy/modes/mode.ts'
import { type CommentLimit, EndpointComments, SHRUNK } from '#proxy/node/endpoint-comments.ts'
import { readHostNetwork } from '#proxy/node/host-network.ts'
import { nodeReader } from '#proxy/node/node-view.ts'
import { BASE_OWNER, type Book } from '#proxy/plan/book.ts'
import { diff, isEmpty } from '#proxy/plan/diff.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { Sync } from '#proxy/sync/sync.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import { FAMILIES, FAMILY_LABEL, type Family } from '#values/address.ts'
import type { NodeDifference } from '#verify/difference.ts'
import { type ServiceRules, serviceDifferences } from '#verify/services/differences.ts'

// A cluster and this node's kernel → what differs in the rules of Services, and the same kernel mended.

export interface ComparedParts {
  readonly settings: Invocation['settings']
  readonly cluster: Cluster
  readonly nodeName: string
  readonly kernel: Kernel
}

export interface Comparison {
  readonly family: Family
  readonly mode: Mode
  /** What would make the kernel hold what it should. */
  readonly plan: Plan
  readonly installed: Ruleset
  readonly book: Book
  readonly rules: ServiceRules
}

export async function compared(parts: ComparedParts): Promise<readonly Comparison[]> {
  const { settings, kernel } = parts
  const hostNetwork = await readHostNetwork(kernel, needsOf(settings))
  const families: readonly Family[] = settings.family === undefined ? FAMILIES : [settings.family]
  const comparisons: Comparison[] = []
  for (const family of families) {
    const mode = await modeToRead(settings, family, kernel)
    const installed = await mode.read(kernel)
    const draw = (comments: CommentLimit): Drawn => drawn({ ...parts, family, mode, hostNetwork, comments, installed })
    const first = draw(new EndpointComments())
    // In a cluster whose size is about the limit, the agent may have dropped comments when it was larger.
    const second = isEmpty(first.plan) ? first : draw(SHRUNK)
    const chosen = sizeOf(second.plan) < sizeOf(first.plan) ? second : first
    const { plan, draft } = chosen
    comparisons.push({ family, mode, installed, plan, book: draft.book, rules: rulesOf(chosen, { mode, installed }) })
  }
  return comparisons
}

interface Drawn {
  readonly draft: Draft
  readonly plan: Plan
}

interface DrawnParts extends ComparedParts {
  readonly family: Family
  readonly mode: Mode
  readonly hostNetwork: Awaited<ReturnType<typeof readHostNetwork>>
  readonly comments: CommentLimit
  readonly installed: Ruleset
}

function drawn({ cluster, mode, hostNetwork, installed, ...about }: DrawnParts): Drawn {
  const draft = new Draft(cluster, mode, nodeReader({ ...about, hostNetwork: () => hostNetwork }))
  draft.update()
  // Listeners are in the agent's process, and no kernel has them.
  const wanted = new Map([...draft.book.rules].filter(([unit]) => !mode.proxyPorts?.isListener(unit)))
  return { draft, plan: diff(installed, wanted) }
}

function sizeOf({ add, change, remove }: Plan): number {
  return add.size + change.size + remove.size
}

function rulesOf({ draft, plan }: Drawn, { mode, installed }: Pick<Comparison, 'mode' | 'installed'>): ServiceRules {
  const { view, addresses } = draft.nodeFacts!
  const owners = ownersOf(plan, draft)
  const listeners = [...draft.book.rules].filter(([unit]) => mode.proxyPorts?.isListener(unit))
  return {
    ...{ mode, plan, view },
    installed: listeners.length === 0 ? installed : new Map([...installed, ...listeners]),
    wanted: draft.book.rules,
    nodeAddresses:
      view.nodeIP === undefined || addresses.includes(view.nodeIP) ? addresses : [...addresses, view.nodeIP],
    traffic: trafficOf(draft),
    ownersOf: unit => owners.get(unit) ?? [],
  }
}

function trafficOf(draft: Draft): ReadonlyMap<string, ServiceTraffic> {
  return new Map([...draft.resolved()].map(({ traffic }) => [`${traffic.id}/${traffic.protocol}`, traffic]))
}

function ownersOf({ add, change }: Plan, { book }: Draft): ReadonlyMap<Unit, readonly string[]> {
  const found = new Map<Unit, string[]>()
  for (const owner of [...book.owners()].sort()) {
    if (owner === BASE_OWNER) continue
    for (const unit of book.entriesOf(owner).keys()) {
      if (add.has(unit) || change.has(unit)) found.set(unit, [...(found.get(unit) ?? []), owner])
    }
  }
  return found
}

export function differencesOf(comparisons: readonly Comparison[]): readonly NodeDifference[] {
  return comparisons.flatMap(({ rules }) => serviceDifferences(rules))
}

/** As the agent does it, with all that it knows of refused rules and of chains that others lead to. What cannot be mended, a sentence each. */
export async function mendServices(
  comparisons: readonly Comparison[],
  kernel: Kernel,
  clock: Clock,
): Promise<readonly string[]> {
  const failed: string[] = []
  for (const { plan, mode, book, family } of comparisons) {
    if (isEmpty(plan)) continue
    // Rules would lead clients to ports at which no process listens.
    if (mode.needs.relay) {
      failed.push(`${FAMILY_LABEL[family]}: rules of ${mode.name} mode are mended by a running agent alone`)
      continue
    }
    await new Sync(mode, kernel, { clock }).run(book)
    // What could only be emptied goes with the next one.
    await new Sync(mode, kernel, { clock }).run(book)
  }
  return failed
}
