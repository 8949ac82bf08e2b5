import type { LeakSettings } from '#config/settings.ts'
import type { AddressConflict } from '#ipam/leases/leaks/leak-book.ts'
import type { WitnessName } from '#ipam/witnesses/verdict.ts'
import type { Log } from '#telemetry/log/klog.ts'
import type { FoundConflict } from '../../leaks/conflicts.ts'
import type { RoundAttachment } from '../../leaks/round.ts'
import type { TakenBack } from '../../leaks/take-back.ts'

// What a round found → lines for the person who looks after the node: one for each thing, when it begins and when it ends.

export function conflictKey({ address, network, container }: AddressConflict): string {
  return `${network} ${address} ${container}`
}

export class LeakReport {
  /** A field with this name: the build finds its calls. */
  readonly log: Log
  readonly #found: LeakSettings['found']
  #failing: readonly WitnessName[] = []

  constructor(log: Log, found: LeakSettings['found']) {
    this.log = log
    this.#found = found
  }

  witnesses(failed: readonly WitnessName[], apiFailure: string | undefined): void {
    for (const witness of failed) {
      if (this.#failing.includes(witness)) continue
      const why = witness === 'api' && apiFailure !== undefined ? { err: apiFailure } : {}
      this.log.warning('Witness of leases does not answer', {
        witness,
        ...why,
        next: 'what it might name is not freed',
      })
    }
    for (const witness of this.#failing) {
      if (!failed.includes(witness)) this.log.info(0, 'Witness of leases answers again', { witness })
    }
    this.#failing = failed
  }

  found(attachment: RoundAttachment): void {
    const { verdict, before } = attachment
    const pairs = { ...pairsOf(attachment), why: verdict.why }
    if (verdict.is === 'suspect' && before === undefined) this.log.info(2, 'Lease may be leaked', pairs)
    if (verdict.is !== 'leaked' || before === 'leaked' || this.#found === 'free') return
    this.log.warning('Leaked lease found', { ...pairs, next: 'switchyard ipam gc --free takes it back' })
  }

  takenBack({ attachment, outcome, error }: TakenBack): void {
    const pairs = { ...pairsOf(attachment), why: attachment.verdict.why }
    if (outcome === 'freed') this.log.info(0, 'Leaked lease freed', pairs)
    if (outcome === 'changed') this.log.info(1, 'Leaked lease has changed meanwhile', pairs)
    if (outcome === 'failed')
      this.log.error('Leaked lease not freed', error, { ...pairs, next: 'the next round tries again' })
  }

  conflicts(found: readonly FoundConflict[], gone: readonly AddressConflict[]): void {
    for (const conflict of found) {
      if (!conflict.isNew) continue
      const { leasedTo } = conflict
      const other = leasedTo === undefined ? {} : { leasedTo: leasedTo.pod ?? leasedTo.container }
      const next = 'it is given to no other pod while it is in use'
      this.log.warning('Address in use without a lease', { ...conflictPairs(conflict), ...other, next })
    }
    for (const conflict of gone) this.log.info(0, 'Address no longer in use without a lease', conflictPairs(conflict))
  }
}

function pairsOf({ holder, leases }: RoundAttachment) {
  const [{ pod }] = leases
  return { ips: leases.map(({ address }) => address), ...(pod !== undefined && { pod }), ...holder }
}

function conflictPairs({ address, pod, network, container, ifname, netns }: AddressConflict) {
  return { ip: address, ...(pod !== undefined && { pod }), network, container, ifname, netns }
}
