import type { FrontendGoal, RulesText, ServedEndpoint, ServedFamily, ServedPort } from '#page/views/services.ts'
import type { Cluster } from '#proxy/cluster/cluster.ts'
import { endpointsOf, type KnownEndpoint } from '#proxy/cluster/slices.ts'
import type { Resolved } from '#proxy/desired/resolve.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Unit } from '#proxy/modes/mode.ts'
import { EMPTY } from '#proxy/plan/diff.ts'
import { ownerOf } from '#proxy/sync/draft.ts'
import type { Lane } from '#proxy/sync/lane.ts'
import { errorText } from '#telemetry/log/klog-format.ts'
import { hostPort } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'

// One Service in the lane of one family → its frontends, endpoints and rules, as the page shows them.

export function servedFamily(service: ObjectName, { family, draft, refused }: Lane, cluster: Cluster): ServedFamily {
  const resolved = draft.resolvedOf(service)
  const nodeName = draft.nodeFacts?.thisNode.nodeName ?? ''
  const nodeAddress = draft.nodeFacts?.addresses.find(address => !LOOPBACK.test(address))
  const slices = cluster.slices(service, family)
  return {
    family,
    ports: resolved.map(({ port, traffic }): ServedPort => {
      const owner = ownerOf(traffic)
      const uses = usesOf(traffic)
      const refusal = refused.find(one => one.owner === owner)
      return {
        ...{ name: port.name, protocol: port.protocol, port: port.port, lost: port.lost },
        frontends: traffic.frontends.map(frontend => {
          const address = frontend.ip ?? nodeAddress
          const goal = address === undefined ? undefined : `${hostPort(address, frontend.port)}/${port.protocol}`
          return {
            kind: frontend.kind,
            at: frontend.ip === undefined ? `:${frontend.port}` : hostPort(frontend.ip, frontend.port),
            goes: goalOf(frontend, traffic),
            sourceRanges: frontend.sourceRanges ?? [],
            ...(goal !== undefined && { goal }),
          }
        }),
        endpoints: endpointsOf(slices, port.name, port.protocol).map(endpoint => served(endpoint, uses, nodeName)),
        ...(refusal !== undefined && { refused: errorText(refusal.error) }),
      }
    }),
    rules: rulesOf(resolved, draft),
  }
}

const LOOPBACK = /^(?:127\.|::1$)/

function goalOf({ verdict }: Frontend, { pools, gate }: ServiceTraffic): FrontendGoal {
  if (verdict.to === 'pool') return { to: 'endpoints', count: pools[verdict.pool].length, pool: verdict.pool }
  if (verdict.to === 'reject') return { to: 'rejected' }
  if (verdict.to === 'drop' || gate === undefined) return { to: 'dropped' }
  if (gate.policy === 'Cluster') return { to: 'endpoints', count: pools.cluster.length, pool: 'cluster' }
  const outside = gate.others === 'drop' ? 'dropped' : pools.local.length
  return { to: 'gate', inside: pools.cluster.length, outside, policy: 'Local' }
}

/** By the endpoint's text; of several pools the first counts. */
function usesOf({ pools, leaving = [] }: ServiceTraffic): ReadonlyMap<string, ServedEndpoint['use']> {
  return new Map([
    ...leaving.map(({ text }) => [text, 'leaving'] as const),
    ...pools.local.map(({ text }) => [text, 'local only'] as const),
    ...pools.cluster.map(({ text }) => [text, 'in use'] as const),
  ])
}

function served(
  { text, ready, serving, terminating, nodeName, zone }: KnownEndpoint,
  uses: ReturnType<typeof usesOf>,
  thisNode: string,
): ServedEndpoint {
  return {
    ...{ text, ready, serving, terminating, use: uses.get(text) ?? 'not used' },
    isLocal: nodeName !== undefined && nodeName === thisNode,
    ...(nodeName !== undefined && { node: nodeName }),
    ...(zone !== undefined && { zone }),
  }
}

/** As `render` prints them, of this Service alone: what it shares with others has its own lines. */
function rulesOf(resolved: readonly Resolved[], { book, mode }: Lane['draft']): readonly RulesText[] {
  const add = new Map<Unit, string>()
  for (const { traffic } of resolved) {
    for (const [unit, text] of book.entriesOf(ownerOf(traffic))) {
      const before = add.get(unit)
      add.set(unit, before === undefined || before === text ? text : `${before}\n${text}`)
    }
  }
  if (add.size === 0) return []
  const commands = mode.write({ add, change: EMPTY, before: EMPTY, remove: new Set() })
  const texts = Map.groupBy(commands, ({ argv }) => argv.join(' '))
  return [...texts].map(([reader, list]) => ({
    reader,
    text: list
      .map(({ input = '' }) => input)
      .join('')
      .trimEnd(),
  }))
}
