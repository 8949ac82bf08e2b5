import type { Ruleset } from '#proxy/modes/mode.ts'
import { pathOf } from '#proxy/modes/netfilter/trace/packet.ts'
import { traced } from '#proxy/modes/netfilter/trace/trace.ts'
import type { Hop, Packet, Path } from '#proxy/modes/trace.ts'
import { textOf } from '#proxy/modes/unit.ts'
import { parsePoolLine } from '#values/pool-line.ts'
import { JUMP_LINES } from './base.ts'
import { listenUnit } from './names.ts'
import { NumberedListeners } from './trace/listeners.ts'

// Rule texts and a first packet → the listener it reaches, and every endpoint that listener may choose.

export function trace(rules: Ruleset, packet: Packet): readonly Path[] {
  const listeners = new NumberedListeners()
  const redirect = listeners.redirect.bind(listeners)
  const states = traced(rules, packet, {
    jumps: JUMP_LINES,
    parse: line => listeners.parse(line),
    targets: { REDIRECT: redirect, DNAT: redirect },
  })
  return states.flatMap(state => {
    const { stopped, listener, hops } = state
    return stopped !== undefined || listener === undefined
      ? [pathOf(state)]
      : relayed(rules, listener, { packet, hops })
  })
}

/**
 * The second connection is the node's own, so the endpoint sees the node's address. A listener's endpoints are known
 * only in the process that has the listener.
 */
function relayed(
  rules: Ruleset,
  listener: string,
  { packet: { last }, hops }: { readonly packet: Packet; readonly hops: readonly Hop[] },
): readonly Path[] {
  const unit = listenUnit(listener)
  const text = rules.get(unit)
  const pool = text === undefined ? undefined : parsePoolLine(text)
  if (text === undefined || pool === undefined) {
    const why = 'to whom it hands its clients is known to the agent alone, or where --filename (-f) names the objects'
    throw new Error(`the packet reaches the listener "${listener}"; ${why}`)
  }
  const { endpoints, stickySeconds = -1 } = pool
  const returns = last !== undefined && last.secondsAgo <= stickySeconds && endpoints.includes(last.endpoint)
  return (returns ? [last.endpoint] : endpoints).map((endpoint, _, { length }) => ({
    share: 1 / length,
    hops: [...hops, { at: textOf(unit), rule: text, did: `connect to ${endpoint}` }],
    end: { to: 'endpoint', endpoint, masqueraded: true },
  }))
}
