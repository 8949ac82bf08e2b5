import type { RegisteredUsage } from '#ipam/leases/changes/usage.ts'
import { rangesText } from '#ipam/ranges/range-bounds.ts'
import { freeOf, fullness } from '#ipam/table/fullness.ts'
import type { FoundConflict } from '../../leaks/conflicts.ts'
import type { RoundAttachment } from '../../leaks/round.ts'
import type { Level } from '../rounds/levels.ts'
import type { AddressEventContent } from './address-event.ts'

// What is found of addresses → what the Events about it say.

const LEVELS = {
  near: { type: 'Warning', reason: 'AddressesNearlyExhausted', says: 'nearly full' },
  full: { type: 'Warning', reason: 'AddressesExhausted', says: 'full, new pods get no address' },
  roomy: { type: 'Normal', reason: 'AddressesAvailable', says: 'no longer nearly full' },
} as const

/** `found`: a daemon that starts anew finds what the one before it has reported, and makes no second Event of it. */
export function levelContent(
  { network, set, ranges, usage }: RegisteredUsage,
  level: Level,
  found: 'at-start' | 'later',
): AddressEventContent {
  const { type, reason, says } = LEVELS[level]
  const { size, assigned, cooling, elsewhere } = usage
  const counts = [
    `${assigned} used`,
    `${cooling} cooling down`,
    ...(elsewhere > 0 ? [`${elsewhere} used elsewhere`] : []),
    `${freeOf(usage)} free of ${size}`,
  ]
  const which = `Range set ${set} of network ${network} (${rangesText(ranges)})`
  return {
    ...{ type, reason, action: 'Count' },
    note: `${which} is ${says}: ${fullness(usage)}%, ${counts.join(', ')}; see switchyard ipam ls --network ${network}`,
    ...(found === 'at-start' && { sameAs: `${network} ${set}` }),
  }
}

/** Of one network, however many there are: `some` are the first of them. */
export interface LeakDigest {
  readonly network: string
  readonly count: number
  readonly some: readonly Pick<RoundAttachment, 'leases' | 'holder'>[]
}

/** They are found once: the daemon keeps what it has found. */
export function leaksContent(became: 'found' | 'freed', { network, count, some }: LeakDigest): AddressEventContent {
  const more = count > some.length ? `, and ${count - some.length} more` : ''
  const which = `${some.map(attachmentText).join(', ')}${more}`
  const attachments = count === 1 ? '1 attachment' : `${count} attachments`
  return became === 'found'
    ? {
        ...{ type: 'Warning', reason: 'LeakedAddressesFound', action: 'FindLeaks' },
        note: `Nothing uses ${attachments} of network ${network} any more: ${which}; switchyard ipam gc --free takes back the addresses`,
      }
    : {
        ...{ type: 'Normal', reason: 'LeakedAddressesFreed', action: 'FreeLeaks' },
        note: `Took back the addresses of ${attachments} of network ${network} that nothing used any more: ${which}`,
      }
}

/** On each of the two pods; on the node where neither is known. */
export function conflictContents(conflict: FoundConflict): readonly AddressEventContent[] {
  const { address, pod, uid, container, ifname, network, leasedTo } = conflict
  const said = { type: 'Warning', reason: 'AddressConflict', action: 'FindConflicts' } as const
  const user = pod ?? `container ${container}`
  const holder = leasedTo?.pod ?? (leasedTo === undefined ? undefined : `container ${leasedTo.container}`)
  const leased = holder === undefined ? 'it is given to no pod while it is in use' : `it is leased to ${holder}`
  const note = `${user} uses ${address} on ${ifname} without a lease of network ${network}; ${leased}`
  const pods = [
    ...(pod === undefined ? [] : [{ name: pod, uid }]),
    ...(leasedTo?.pod === undefined || leasedTo.pod === pod ? [] : [{ name: leasedTo.pod, uid: leasedTo.uid }]),
  ].filter(({ name }) => /^[^/]+\/[^/]+$/.test(name))
  return pods.length === 0 ? [{ ...said, note }] : pods.map(one => ({ ...said, note, pod: one }))
}

function attachmentText({ leases, holder }: LeakDigest['some'][number]): string {
  const [{ pod = `container ${holder.container}` }] = leases
  return `${leases.map(({ address }) => address).join(' and ')} (${pod})`
}
