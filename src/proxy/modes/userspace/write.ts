import type { Tools } from '#dialects/iptables.ts'
import { closeListeners, type Listener, openListeners, withProxyPorts } from '#dialects/relay.ts'
import type { Plan } from '#proxy/modes/mode.ts'
import { jumpOrder } from '#proxy/modes/netfilter/chain-order.ts'
import { type Layout, restore } from '#proxy/modes/netfilter/document.ts'
import type { Command } from '#system/ports.ts'
import { JUMP_LINES } from './base.ts'
import { listenerOf } from './names.ts'

// A plan → listeners opened or given other endpoints, then one restore that redirects clients to them, then listeners
// closed that no rule redirects to any more. A change of endpoints is the first of these alone.

const LAYOUT: Layout = { jumps: JUMP_LINES, order: texts => jumpOrder(texts), heads: 'alternating' }

export function write(plan: Plan, tools: Tools): readonly Command[] {
  const { family } = tools
  const opened = [...plan.add, ...plan.change].flatMap(([unit, pool]): readonly Listener[] => {
    const name = listenerOf(unit)
    return name === undefined ? [] : [{ name, pool }]
  })
  const closed = [...plan.remove].map(listenerOf).filter(name => name !== undefined)
  return [
    ...(opened.length > 0 ? [openListeners(family, opened)] : []),
    ...restore(plan, tools, LAYOUT).map(command =>
      command.input?.includes('{') ? withProxyPorts(family, command) : command,
    ),
    ...(closed.length > 0 ? [closeListeners(family, closed)] : []),
  ]
}
