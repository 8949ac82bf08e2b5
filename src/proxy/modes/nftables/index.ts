import type { Mode } from '#proxy/modes/mode.ts'
import { alarm } from './alarm.ts'
import { base } from './base.ts'
import { read } from './read.ts'
import { service } from './service/service.ts'
import { trace } from './trace/trace.ts'
import { emptied, type Manner, write } from './write.ts'

// nftables mode: maps for all services, and as many chains for ten thousand of them as for one.

export function nftables(manner: Manner): Mode {
  return {
    name: 'nftables',
    base,
    service,
    write: plan => write(plan, manner),
    emptied: plan => emptied(plan, manner),
    read: kernel => read(kernel, manner.family),
    alarm: alarm(manner.family),
    trace,
  }
}
