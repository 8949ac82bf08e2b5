import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Mode, Ruleset } from '#proxy/modes/mode.ts'
import type { Packet, Path } from '#proxy/modes/trace.ts'
import type { Explanation, Station, Way } from './answer.ts'
import { type AskedCluster, type FoundFrontend, frontendOf } from './service/found.ts'
import { type KnownAround, nothingThere } from './service/nothing-there.ts'
import { type Reason, refusalReason, sourceReason } from './service/reasons.ts'

// A packet, the rules of its node and the objects they were made from → where it goes, and why.

export interface ExplainParts extends Pick<Explanation, 'from' | 'to' | 'node' | 'rules'> {
  readonly mode: Pick<Mode, 'name' | 'needs' | 'trace'>
  readonly ruleset: Ruleset
  readonly packet: Packet
  /** Undefined where nothing but rules is known: then there are no reasons. */
  readonly asked?: AskedCluster & { readonly view: NodeView }
  readonly around: KnownAround
  readonly before: readonly Station[]
  /** From this node to an endpoint, or to the address itself. */
  readonly after: (endpoint: string) => readonly Station[]
}

export function explained(parts: ExplainParts): Explanation {
  const { from, to, node, rules, mode, ruleset, packet, asked, around, before } = parts
  const paths = mode.trace(ruleset, packet)
  const found = asked && frontendOf(asked, packet, mode)
  const ways = paths.map(path => wayOf(path, found, parts))
  const reason = asked && reasonFor(paths, found, { asked, packet, mode, around })
  const findings = asked === undefined ? [] : contradictions(paths, found, { asked, packet, mode })
  return {
    ...{ from, to, node, rules, mode: mode.name, before, ways },
    ...(reason !== undefined && { reason }),
    findings,
  }
}

function wayOf({ share, hops, end }: Path, found: FoundFrontend | undefined, parts: ExplainParts): Way {
  const { packet, asked, mode, after } = parts
  const source = asked && sourceReason({ end, found, packet, view: asked.view, mode })
  const goesTo = end.to === 'endpoint' ? end.endpoint : end.to === 'untouched' ? packet.to : undefined
  return {
    ...{ share, hops, end },
    ...(source !== undefined && { source }),
    after: goesTo === undefined ? [] : after(goesTo),
  }
}

interface Judged {
  readonly asked: AskedCluster & { readonly view: NodeView }
  readonly packet: Packet
  readonly mode: ExplainParts['mode']
}

function reasonFor(
  paths: readonly Path[],
  found: FoundFrontend | undefined,
  { asked, packet, mode, around }: Judged & { readonly around: KnownAround },
): Reason | undefined {
  if (found === undefined) return nothingThere(asked, packet, around)
  if (paths.some(({ end }) => end.to === 'endpoint')) return undefined
  return refusalReason(found, packet, { view: asked.view, mode })
}

/** Where rules and objects do not say the same: another program has changed rules, or the agent has not written them yet. */
function contradictions(
  paths: readonly Path[],
  found: FoundFrontend | undefined,
  { asked, packet, mode }: Judged,
): readonly string[] {
  if (found === undefined) return []
  const reached = paths.some(({ end }) => end.to === 'endpoint')
  const refused = refusalReason(found, packet, { view: asked.view, mode })
  const { id } = found.port
  if (!reached && refused === undefined)
    return [`the rules lead to no endpoint of ${id}, and they should: "switchyard verify" names what differs`]
  if (reached && refused !== undefined)
    return [
      `the rules lead to an endpoint, and they should not: ${refused.text}; "switchyard verify" names what differs`,
    ]
  const known = new Set(found.endpoints.map(({ text }) => text))
  const strange = paths.flatMap(({ end }) => (end.to === 'endpoint' && !known.has(end.endpoint) ? [end.endpoint] : []))
  return [...new Set(strange)].map(one => `${one} is no endpoint of ${id}: the rules are out of date`)
}
