import type { Clock, Kernel } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { same } from '#values/same.ts'
import { iptablesBackend } from './iptables-backend.ts'
import type { MasqueradeBackend, MasqueradeRanges } from './masquerading.ts'
import { nftablesBackend } from './nftables-backend.ts'

// The ranges of this node as they change → rules that stand, and are written again where another program has removed them.

export type OutboundChoice = 'auto' | 'iptables' | 'nftables' | 'none'

export interface MasqueradeKeeperParts {
  readonly choice: OutboundChoice
  readonly kernel: Kernel
  readonly clock: Clock
  readonly log: Log
  readonly observed: (why: 'begun' | 'repaired' | 'failed') => void
}

/** A look is a process or two. */
const AUDIT_EVERY_MS = 60_000

export class MasqueradeKeeper {
  readonly #parts: MasqueradeKeeperParts
  /** In the order in which they are tried. */
  readonly #backends: readonly MasqueradeBackend[]
  #standing: { readonly ranges: MasqueradeRanges; readonly by: MasqueradeBackend | undefined } | undefined
  #used: MasqueradeBackend['name'] | 'none' | undefined
  #lookedAt = 0
  #isFailing = false
  /** A field with this name: the build finds its calls. */
  readonly log: Log

  constructor(parts: MasqueradeKeeperParts) {
    this.#parts = parts
    this.log = parts.log
    this.#backends = backendsFor(parts)
  }

  /** Does nothing where nothing has changed and the last look is not old. Never fails: what does is in the log. */
  async keep(ranges: MasqueradeRanges): Promise<void> {
    const { clock, observed } = this.#parts
    const isChanged = !same(ranges, this.#standing?.ranges)
    if (!isChanged && clock.now() - this.#lookedAt < AUDIT_EVERY_MS) return
    this.#lookedAt = clock.now()
    try {
      if (isChanged) await this.#begin(ranges)
      else await this.#audit(ranges)
      this.#isFailing = false
    } catch (error) {
      // Of any program, rules may stand now.
      this.#standing = undefined
      this.#used = undefined
      if (!this.#isFailing)
        this.log.error('Rules for what leaves the cluster could not be written', error, { next: 'tried again' })
      this.#isFailing = true
      observed('failed')
    }
  }

  async #begin(ranges: MasqueradeRanges): Promise<void> {
    const { choice, observed } = this.#parts
    const isWanted = choice !== 'none' && ranges.own.length > 0
    const by = isWanted ? await this.#written(ranges) : undefined
    if (this.#used === undefined || this.#used !== by?.name) await this.#removeOthers(by)
    if (isWanted) {
      this.log.info(0, 'Masquerading what leaves the cluster', {
        from: ranges.own,
        cluster: ranges.cluster,
        by: by?.name,
      })
      observed('begun')
    }
    this.#standing = { ranges, by }
  }

  /** What an earlier daemon has left, which may have had other settings. */
  async #removeOthers(by: MasqueradeBackend | undefined): Promise<void> {
    for (const other of allBackends(this.#parts)) if (other.name !== by?.name) await other.remove()
    this.#used = by?.name ?? 'none'
  }

  /** By the first program that can. */
  async #written(ranges: MasqueradeRanges): Promise<MasqueradeBackend> {
    let failure: unknown
    for (const backend of this.#backends) {
      try {
        await backend.write(ranges)
        return backend
      } catch (error) {
        failure ??= error
      }
    }
    throw failure
  }

  async #audit(ranges: MasqueradeRanges): Promise<void> {
    const by = this.#standing?.by
    if (by === undefined || (await by.isWhole(ranges))) return
    await by.write(ranges)
    this.log.warning('Rules for what leaves the cluster were changed by another program, and are written again', {
      by: by.name,
    })
    this.#parts.observed('repaired')
  }
}

/** Nftables first: its table is our own, and `iptables -F` leaves it alone. */
function allBackends({ kernel }: Pick<MasqueradeKeeperParts, 'kernel'>): readonly MasqueradeBackend[] {
  return [nftablesBackend(kernel), iptablesBackend(kernel)]
}

function backendsFor({ choice, kernel }: MasqueradeKeeperParts): readonly MasqueradeBackend[] {
  return allBackends({ kernel }).filter(({ name }) => choice === 'auto' || choice === name)
}
