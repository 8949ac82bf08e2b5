import { type Holder, holderKey, type Lease } from '../leases/lease-book.ts'
import {
  type LeakLimits,
  type LeaseVerdict,
  type Sightings,
  type Testimonies,
  type Testimony,
  verdictOn,
  WITNESSES,
  type WitnessName,
} from './verdict.ts'
import type { Witness } from './witness.ts'

// All leases, and what each witness says of them → a verdict on every attachment. An attachment is in use as a whole: a pod
// whose IPv6 address is gone has its IPv4 address still.

export interface JudgementParts {
  readonly witnesses: readonly Witness[]
  readonly limits: LeakLimits
  readonly now: number
  readonly boot: string
  /**
   * `until-named`: each is asked in its turn, and only of attachments that none before it has named. On a node where all is
   * well that is the first one alone.
   */
  readonly asked: 'all' | 'until-named'
  before(holder: Holder): Sightings | undefined
}

export interface JudgedAttachment {
  readonly holder: Holder
  readonly leases: readonly [Lease, ...Lease[]]
  readonly testimonies: Testimonies
  readonly verdict: LeaseVerdict
}

/** `leases` were listed before the witnesses are asked: one that is given meanwhile is not among them. */
export async function judge(leases: readonly Lease[], parts: JudgementParts): Promise<readonly JudgedAttachment[]> {
  const attachments = Map.groupBy(
    leases.filter(({ state }) => state === 'assigned'),
    holderKey,
  )
  const heard = await hear([...attachments.values()], parts)
  return [...attachments.values()].map(all => {
    const [first, ...more] = all
    const own = [first!, ...more] as const
    const { network, container, ifname } = own[0]
    const holder = { network, container, ifname }
    const said = WITNESSES.map(name => [name, strongest(all.map(one => heard.get(name)?.get(one) ?? 'mute'))])
    const testimonies = Object.fromEntries(said) as Testimonies
    const { limits, now, boot } = parts
    // Of the youngest, and of an earlier start of the machine only where all of it is: an address may have been added since.
    const later = own.find(one => one.boot === boot || one.boot === '')
    const lease = { boot: (later ?? own[0]).boot, at: Math.max(...own.map(({ at }) => at)) }
    return {
      holder,
      leases: own,
      testimonies,
      verdict: verdictOn({ lease, testimonies, before: parts.before(holder), now, boot, limits }),
    }
  })
}

type Heard = ReadonlyMap<WitnessName, ReadonlyMap<Lease, Testimony>>

async function hear(attachments: readonly (readonly Lease[])[], { witnesses, asked }: JudgementParts): Promise<Heard> {
  const ask = async ({ name, testify }: Witness, of: readonly (readonly Lease[])[]) => {
    const all = of.flat()
    const said = all.length === 0 ? [] : await testify(all)
    return [name, new Map(all.map((lease, i) => [lease, said[i] ?? 'failed'] as const))] as const
  }
  if (asked === 'all') return new Map(await Promise.all(witnesses.map(witness => ask(witness, attachments))))
  const heard = new Map<WitnessName, ReadonlyMap<Lease, Testimony>>()
  let left = attachments
  for (const witness of witnesses) {
    const [name, said] = await ask(witness, left)
    heard.set(name, said)
    left = left.filter(leases => !leases.some(lease => said.get(lease) === 'names'))
  }
  return heard
}

const STRENGTH: readonly Testimony[] = ['names', 'failed', 'not', 'mute']

function strongest(all: readonly Testimony[]): Testimony {
  return STRENGTH.find(testimony => all.includes(testimony)) ?? 'mute'
}
