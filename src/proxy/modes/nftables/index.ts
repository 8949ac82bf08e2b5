import type { Mode } from '#proxy/modes/mode.ts'
import { base } from './base.ts'
import { read } from './read.ts'
import { service } from './service/service.ts'
import { trace } from './trace/trace.ts'
import { watches } from './watches.ts'
import { emptied, type NftWriteOptions, write } from './write.ts'

// nftables mode: maps for all services, and as many chains for ten thousand of them as for one.

export function nftables(options: NftWriteOptions): Mode {
  return {
    name: 'nftables',
    base,
    service,
    write: plan => write(plan, options),
    emptied: plan => emptied(plan, options),
    read: kernel => read(kernel, options.family),
    watches: watches(options.family),
    trace,
  }
}
