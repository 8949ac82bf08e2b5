import type { Mode, ModeTraits } from '#proxy/modes/mode.ts'
import { base } from './base.ts'
import { portions } from './portions.ts'
import { read } from './read.ts'
import { service } from './service/service.ts'
import { trace } from './trace/trace.ts'
import { watches } from './watches.ts'
import { emptied, type NftWriteOptions, write } from './write.ts'

// nftables mode: maps for all services, and as many chains for ten thousand of them as for one.

export const NFTABLES = {
  name: 'nftables',
  needs: { serviceRanges: true },
  numbers: { stages: true, failures: 'nft' },
} as const satisfies ModeTraits

export function nftables(options: NftWriteOptions): Mode {
  return {
    ...NFTABLES,
    base,
    service,
    portions,
    write: plan => write(plan, options),
    emptied: plan => emptied(plan, options),
    read: (kernel, dump) => read(kernel, options.family, dump),
    watches: watches(options.family),
    trace,
  }
}
