import { BackendAbsent } from '../../backend-absent.ts'
import type { MasqueradeChoice } from '../configuration.ts'
import type { Masquerade, MasqueradeParts } from './masquerade.ts'
import { iptablesMasquerade } from './masquerade-iptables.ts'
import { nftablesMasquerade } from './masquerade-nftables.ts'

// `ipMasq` and `ipMasqBackend` → what masquerades.

export function masqueradeBy(choice: MasqueradeChoice, parts: MasqueradeParts): Masquerade | undefined {
  if (choice === 'none') return undefined
  if (choice === 'iptables') return iptablesMasquerade(parts)
  if (choice === 'nftables') return nftablesMasquerade(parts)
  return firstThatWorks(iptablesMasquerade(parts), nftablesMasquerade(parts))
}

/** For GC: a configuration may have named another back end when a pod came. */
export function everyMasquerade(parts: MasqueradeParts): readonly Masquerade[] {
  return [iptablesMasquerade(parts), nftablesMasquerade(parts)]
}

/** Those that a pod may have from when its configuration named another back end. */
export function otherMasquerades(choice: MasqueradeChoice, parts: MasqueradeParts): readonly Masquerade[] {
  if (choice === 'either') return []
  return [
    ...(choice === 'iptables' ? [] : [iptablesMasquerade(parts)]),
    ...(choice === 'nftables' ? [] : [nftablesMasquerade(parts)]),
  ]
}

/** As the reference chooses: nftables on a node that has no iptables, or one that does not work. */
function firstThatWorks(first: Masquerade, second: Masquerade): Masquerade {
  return {
    async add(holder, addresses) {
      try {
        await first.add(holder, addresses)
      } catch (error) {
        if (!(error instanceof BackendAbsent)) throw error
        await second.add(holder, addresses)
      }
    },
    /** The node may have had another choice when the pod came. */
    async remove(holder, addresses) {
      return (await first.remove(holder, addresses)) || (await second.remove(holder, addresses))
    },
    async missing(holder, addresses) {
      const missing = await first.missing(holder, addresses)
      return missing.length === 0 ? missing : second.missing(holder, missing)
    },
    async keepOnly(network, holders) {
      await first.keepOnly(network, holders)
      await second.keepOnly(network, holders)
    },
  }
}
