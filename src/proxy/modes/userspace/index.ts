import type { Tools } from '#dialects/iptables.ts'
import { filled } from '#dialects/relay.ts'
import { iptablesWatches } from '#proxy/modes/iptables-watches.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import type { Address } from '#values/address.ts'
import { base } from './base.ts'
import { proxyPorts } from './proxy-ports.ts'
import { chainsOf, read } from './read.ts'
import { service } from './service.ts'
import { trace } from './trace.ts'
import { write } from './write.ts'

// userspace mode: the kernel redirects clients to our own listeners, and the relay opens the second connection, to an
// endpoint. Its kernel must be one `withRelay`.

export interface UserspaceOptions {
  readonly tools: Tools
  /** The one address the relay listens at; absent: all addresses. */
  readonly listenOn?: Address
}

export function userspace({ tools, listenOn }: UserspaceOptions): Mode {
  const watches = iptablesWatches(tools, chainsOf(tools))
  return {
    name: 'userspace',
    base,
    service: (traffic, node) => service(traffic, node, listenOn),
    write: plan => write(plan, tools),
    read: kernel => read(kernel, tools),
    proxyPorts: proxyPorts(tools.family),
    ...(watches !== undefined && { watches: { ...watches, author: command => watches.author(filled(command)) } }),
    trace,
  }
}
