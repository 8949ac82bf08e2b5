import type { Address } from '#values/address.ts'
import type { LeakCommandAnswer, LeakCommandParts } from './commands.ts'
import { leakRound, type RoundAttachment } from './round.ts'
import { takeBack } from './take-back.ts'

// `ipam release`: an address, or an attachment → given back by hand, where no witness names it.

/** In every network that has it. */
export type ReleaseTarget = { readonly address: Address } | { readonly container: string; readonly ifname: string }

export interface ReleaseRequest {
  readonly target: ReleaseTarget
  /** `unused`: refused where a witness names it, or could not be asked, or it is too new to be judged. */
  readonly releases: 'unused' | 'any'
}

/** Fails where no pod has it, or one that may be using it. Of an attachment all addresses go: no pod keeps half. */
export async function releasedByHand(
  { target, releases }: ReleaseRequest,
  { round, takeBack: parts, apiFailure }: Omit<LeakCommandParts, 'faults'>,
): Promise<LeakCommandAnswer> {
  const { attachments } = await leakRound({ ...round, asked: 'all' })
  const meant = attachments.filter(one => isMeant(one, target))
  if (meant.length === 0)
    throw new Error(`${targetText(target)}: no pod has it; "switchyard ipam who" knows more of an address`)
  const used = releases === 'any' ? undefined : meant.find(isPerhapsInUse)
  if (used !== undefined) throw new Error(refusal(used, apiFailure()))
  const lines: string[] = []
  let status: 0 | 1 = 0
  for (const attachment of meant) {
    const why = `released by hand: ${attachment.verdict.why}`
    const { outcome, error } = await takeBack({ ...attachment, why }, parts)
    if (outcome !== 'freed') status = 1
    lines.push(
      `${attachmentText(attachment)}: ${OUTCOMES[outcome]}${outcome === 'failed' ? reason(error) : `; ${attachment.verdict.why}`}`,
    )
  }
  return { text: lines.join('\n'), status }
}

const OUTCOMES = {
  freed: 'released',
  changed: 'not released, its leases have changed meanwhile',
  failed: 'not released: ',
} as const

function isMeant({ holder, leases }: RoundAttachment, target: ReleaseTarget): boolean {
  if ('address' in target) return leases.some(({ address }) => address === target.address)
  return holder.container === target.container && holder.ifname === target.ifname
}

/** What no witness knows anything of is what a person has to decide. */
function isPerhapsInUse({ verdict, testimonies }: RoundAttachment): boolean {
  return verdict.is === 'live' || verdict.is === 'young' || Object.values(testimonies).includes('failed')
}

function refusal(attachment: RoundAttachment, apiFailure: string | undefined): string {
  const { verdict, testimonies } = attachment
  const failure = testimonies.api === 'failed' && apiFailure !== undefined ? ` (${apiFailure})` : ''
  const why = verdict.is === 'young' ? `its pod may be on its way up (${verdict.why})` : verdict.why
  return `${attachmentText(attachment)}: not released, ${why}${failure}; --force releases it all the same, and its addresses may then be given to a second pod`
}

function attachmentText({ holder, leases }: RoundAttachment): string {
  const { network, container, ifname } = holder
  const held = `container ${container}${ifname === '' ? '' : ` ${ifname}`}, network ${network}`
  const [{ pod }] = leases
  const addresses = leases.map(({ address }) => address).join(' and ')
  return pod === undefined ? `${addresses} of ${held}` : `${addresses} of ${pod} (${held})`
}

function targetText(target: ReleaseTarget): string {
  return 'address' in target ? target.address : `${target.container}/${target.ifname}`
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
