import type { Tools } from '#dialects/iptables.ts'
import { filled } from '#dialects/relay.ts'
import type { Mode, ModeTraits } from '#proxy/modes/mode.ts'
import { chainWatches } from '#proxy/modes/netfilter/watches.ts'
import type { Address } from '#values/address.ts'
import { base } from './base.ts'
import { proxyPorts } from './proxy-ports.ts'
import { chainsOf, read } from './read.ts'
import { service } from './service.ts'
import { trace } from './trace.ts'
import { write } from './write.ts'

// userspace mode: the kernel redirects clients to our own listeners, and the relay opens the second connection, to an
// endpoint. Its kernel must be one `withRelay`.

export const USERSPACE = {
  name: 'userspace',
  needs: { addresses: true, relay: true },
} as const satisfies ModeTraits

export interface UserspaceOptions {
  readonly tools: Tools
  /** The one address the relay listens at; absent: all addresses. */
  readonly listenOn?: Address
}

export function userspace({ tools, listenOn }: UserspaceOptions): Mode {
  const watches = chainWatches(tools, chainsOf(tools))
  return {
    ...USERSPACE,
    base,
    service: (traffic, node) => service(traffic, node, listenOn),
    portions: plan => [plan],
    write: plan => write(plan, tools),
    read: kernel => read(kernel, tools),
    proxyPorts: proxyPorts(tools.family),
    ...(watches !== undefined && { watches: { ...watches, author: command => watches.author(filled(command)) } }),
    trace,
  }
}
