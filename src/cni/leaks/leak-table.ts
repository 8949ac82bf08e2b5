import { aligned } from '#ipam/table/aligned.ts'
import type { FoundConflict } from './conflicts.ts'
import type { LeakRound, RoundAttachment } from './round.ts'
import type { TakenBack } from './take-back.ts'

// A round, and what was taken back after it → lines for the operator: what needs a look, and how much is in order.

const VERDICTS = {
  live: 'ASSIGNED',
  young: 'PENDING',
  unknown: 'UNKNOWN',
  suspect: 'SUSPECT',
  leaked: 'LEAKED',
} as const

export interface LeakTableParts extends Pick<LeakRound, 'attachments' | 'conflicts'> {
  readonly takenBack?: readonly TakenBack[]
  /** `disputed`: also what is in use by one witness and not by another. */
  readonly shows: 'doubtful' | 'disputed'
}

/** Empty where there is nothing to show. */
export function leakTable({ attachments, conflicts, takenBack = [], shows }: LeakTableParts): string {
  const became = new Map(takenBack.map(one => [one.attachment, one]))
  const rows = [
    ...attachments.filter(one => isShown(one, shows)).flatMap(one => attachmentRows(one, became.get(one))),
    ...conflicts.map(conflictRow),
  ]
  return rows.length === 0 ? '' : aligned([['IP', 'POD', 'VERDICT', 'WHY'], ...rows]).join('\n')
}

function isShown({ verdict, testimonies }: RoundAttachment, shows: LeakTableParts['shows']): boolean {
  if (verdict.is === 'young') return false
  return verdict.is !== 'live' || (shows === 'disputed' && Object.values(testimonies).includes('not'))
}

type Row = readonly [ip: string, pod: string, verdict: string, why: string]

function attachmentRows({ leases, holder, verdict }: RoundAttachment, taken: TakenBack | undefined): readonly Row[] {
  const became = taken === undefined ? VERDICTS[verdict.is] : BECAME[taken.outcome]
  const failure = taken?.error === undefined ? '' : `; not taken back: ${(taken.error as Error).message ?? taken.error}`
  return leases.map(({ address, pod }) => [
    address,
    pod ?? `<container ${holder.container.slice(0, 13)}>`,
    became,
    verdict.why + failure,
  ])
}

const BECAME = { freed: 'FREED', changed: 'CHANGED', failed: 'LEAKED' } as const

function conflictRow({ address, pod, container, ifname, netns, leasedTo }: FoundConflict): Row {
  const other = leasedTo === undefined ? 'without a lease' : `and leased to ${leasedTo.pod ?? leasedTo.container}`
  return [
    address,
    pod ?? `<container ${container.slice(0, 13)}>`,
    'CONFLICT',
    `in use on ${ifname} in ${netns} ${other}`,
  ]
}

/** `12 attachments: 10 in use, 1 suspect, 1 leaked, of which 1 was taken back; 1 address in conflict`. */
export function leakSummary({ attachments, conflicts, takenBack = [] }: Omit<LeakTableParts, 'shows'>): string {
  const freed = takenBack.filter(({ outcome }) => outcome === 'freed').length
  const back = freed === 0 ? '' : `, of which ${freed} ${freed === 1 ? 'was' : 'were'} taken back`
  const count = (is: RoundAttachment['verdict']['is']) => attachments.filter(({ verdict }) => verdict.is === is).length
  const words = { live: 'in use', young: 'new', unknown: 'unknown', suspect: 'suspect', leaked: 'leaked' } as const
  const parts = (['live', 'young', 'unknown', 'suspect', 'leaked'] as const)
    .filter(is => is === 'live' || count(is) > 0)
    .map(is => `${count(is)} ${words[is]}`)
  const conflict = conflicts.length === 0 ? '' : `; ${counted(conflicts.length, 'address', 'addresses')} in conflict`
  return `${counted(attachments.length, 'attachment', 'attachments')}: ${parts.join(', ')}${back}${conflict}`
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
