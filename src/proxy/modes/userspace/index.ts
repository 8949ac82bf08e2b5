import type { Tools } from '#dialects/iptables.ts'
import { filled } from '#dialects/relay.ts'
import { alarm } from '#proxy/modes/iptables-alarm.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import type { Address } from '#values/address.ts'
import { answering } from './answering.ts'
import { base } from './base.ts'
import { read } from './read.ts'
import { service } from './service.ts'
import { trace } from './trace.ts'
import { write } from './write.ts'

// userspace mode: the kernel leads clients to our own listeners, and the relay behind them opens the second connection. Its
// kernel must be one `withRelay`.

export interface UserspaceOptions {
  readonly tools: Tools
  /** The one address at which the relay listens; absent: at all of them. */
  readonly listenOn?: Address
}

export function userspace({ tools, listenOn }: UserspaceOptions): Mode {
  const watch = alarm(tools)
  return {
    name: 'userspace',
    base,
    service: (traffic, node) => service(traffic, node, listenOn),
    write: plan => write(plan, tools),
    read: kernel => read(kernel, tools),
    answering: answering(tools.family),
    ...(watch !== undefined && { alarm: { ...watch, isChange: command => watch.isChange(filled(command)) } }),
    trace,
  }
}
