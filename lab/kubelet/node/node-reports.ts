import type { ClusterClient } from '#lab/client/cluster-client.ts'
import type { Lease, Node } from '#lab/client/objects.ts'
import { isAbsent, isAlreadyThere } from '#lab/client/refused.ts'
import type { Clock } from '#system/ports.ts'
import { type NodeFacts, nodeLabels, nodeStatus } from './node-object.ts'

// A node → its Node and its Lease in the API, there from the start, and renewed.

export interface NodeReportsParts {
  readonly client: ClusterClient
  readonly clock: Clock
  readonly facts: () => Promise<NodeFacts>
  readonly warn: (line: string) => void
  /** The node has been reported as Ready. */
  readonly ready: () => void
  readonly signal: AbortSignal
  readonly renewMs?: number
}

const RENEW_MS = 10_000
/** Until it is Ready, it looks more often. */
const SOON_MS = 200
const LEASE_SECONDS = 40
const LEASES = 'kube-node-lease'
/** The status is written when it has changed, and now and then all the same. */
const STATUS_MS = 300_000

export async function reportNode(parts: NodeReportsParts): Promise<void> {
  const { clock, facts, warn, ready, signal, renewMs = RENEW_MS } = parts
  let last: { readonly at: number; readonly statusAt: number; readonly problem: string | undefined } | undefined
  while (!signal.aborted) {
    try {
      const found = await facts()
      const { now, problem } = found
      if (last === undefined || problem !== last.problem || now >= last.at + renewMs) {
        const isSame = last !== undefined && problem === last.problem && now < last.statusAt + STATUS_MS
        const isKnown = isSame && (await isAsReported(parts, found))
        if (!isKnown) await register(parts, found)
        await renew(parts, found)
        last = { at: now, statusAt: isKnown ? last!.statusAt : now, problem }
        if (problem === undefined) ready()
      }
    } catch (error) {
      if (!signal.aborted) warn(`node not reported: ${(error as Error).message}`)
    }
    await clock.sleep(last !== undefined && last.problem === undefined ? renewMs : SOON_MS, signal)
  }
}

/** Not where it is gone, nor where a controller that heard nothing of it has marked it as unknown. */
async function isAsReported({ client }: NodeReportsParts, { name, problem }: NodeFacts): Promise<boolean> {
  const node = await client.get<Node>('Node', { name })
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready')
  return ready?.status === (problem === undefined ? 'True' : 'False')
}

/** What others have written of the Node, its ranges among it, stays. */
async function register({ client }: NodeReportsParts, facts: NodeFacts): Promise<void> {
  const { name } = facts
  const labels = nodeLabels(facts)
  const metadata = { name, labels }
  const before = await client.get<Node>('Node', { name })
  if (before === undefined) {
    await client.create<Node>({ apiVersion: 'v1', kind: 'Node', metadata, spec: {} } as Node).catch(unlessThere)
  } else if (Object.entries(labels).some(([key, value]) => before.metadata.labels?.[key] !== value)) {
    await client.patch('Node', { name }, { metadata: { labels } })
  }
  await client.patch('Node', { name }, { status: nodeStatus(facts, before?.status) }, 'status')
}

async function renew({ client }: NodeReportsParts, { name, now }: NodeFacts): Promise<void> {
  const renewTime = new Date(now).toISOString().replace('Z', '000Z')
  const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime }
  try {
    await client.patch<Lease>('Lease', { namespace: LEASES, name }, { spec })
  } catch (error) {
    if (!isAbsent(error)) throw error
    const metadata = { namespace: LEASES, name }
    await client
      .create<Lease>({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec })
      .catch(unlessThere)
  }
}

function unlessThere(error: unknown): void {
  if (!isAlreadyThere(error)) throw error
}
