import type { Lease } from '../leases/lease-book.ts'

// What witnesses say of a lease, and how often they have said it → whether it is in use, and whether it may be freed.

/**
 * `names`: it is in use. `not`: it was looked for and is not there. `failed`: the witness could not look this time, which is
 * not the same as not seeing it. `mute`: the witness knows nothing of such a lease, or there is none on this node.
 */
export type Testimony = 'names' | 'not' | 'failed' | 'mute'

export const WITNESSES = ['namespace', 'runtime', 'api'] as const
export type WitnessName = (typeof WITNESSES)[number]

export type Testimonies = Readonly<Record<WitnessName, Testimony>>

/** What was found out in rounds before: how often in a row no witness named the lease. */
export interface Sightings {
  readonly count: number
  /** Milliseconds since the epoch: of the first in this row. */
  readonly since: number
  /** Of the last that counted. */
  readonly last: number
}

export interface LeaseVerdict {
  /**
   * `live`; `young`, too new to be judged; `unknown`, because a witness failed; `suspect`, if it goes on like this it is
   * leaked; `leaked`, it may be freed.
   */
  readonly is: 'live' | 'young' | 'unknown' | 'suspect' | 'leaked'
  readonly why: string
  /** To be kept for the next round; undefined ends the row. */
  readonly sightings?: Sightings
}

export interface JudgedLease {
  readonly lease: Pick<Lease, 'at' | 'boot'>
  readonly testimonies: Testimonies
  readonly before: Sightings | undefined
  readonly now: number
  readonly boot: string
  readonly limits: LeakLimits
}

export interface LeakLimits {
  /** A lease that is younger is not judged: its pod may be on its way up. */
  readonly graceMs: number
  /** In so many rounds, one after another, no witness may have named it. */
  readonly rounds: number
  /** A round that comes sooner after another does not count: three looks in a second are one. */
  readonly apartMs: number
}

/** Kubernetes itself gives a pod a minute to appear, and its own repair of leaked ports looks three times. */
export const LEAK_LIMITS: LeakLimits = { graceMs: 60_000, rounds: 3, apartMs: 30_000 }

export function verdictOn({ lease, testimonies, before, now, boot, limits }: JudgedLease): LeaseVerdict {
  const by = (said: Testimony): readonly WitnessName[] => WITNESSES.filter(name => testimonies[name] === said)
  const [naming, looking, failing] = [by('names'), by('not'), by('failed')]
  if (naming.length > 0) return { is: 'live', why: live(naming, looking) }
  // A list that could not be had is not an empty one: freeing by it would give addresses of running pods away.
  if (failing.length > 0) {
    return { is: 'unknown', why: `${said(failing)} could not be asked`, ...(before && { sightings: before }) }
  }
  if (looking.length === 0) return { is: 'unknown', why: 'no witness knows anything of it' }
  if (now - lease.at < limits.graceMs) return { is: 'young', why: `given ${seconds(now - lease.at)} ago` }
  const sightings = seenAgain(before, now, limits)
  const why = `not in use by ${said(looking)}`
  if (isOfEarlierBoot(lease, boot) && testimonies.namespace === 'not') {
    return { is: 'leaked', why: `${why}, and of an earlier start of this machine`, sightings }
  }
  // Runtimes may keep results in another place than the one that is looked at.
  if (looking.every(name => name === 'runtime'))
    return { is: 'suspect', why: `${why}, which alone do not suffice`, sightings }
  const isLeaked = sightings.count >= limits.rounds
  const seen = isLeaked ? `in ${sightings.count} rounds` : `${sightings.count} of ${limits.rounds} rounds`
  return { is: isLeaked ? 'leaked' : 'suspect', why: `${why}, ${seen}`, sightings }
}

function seenAgain(before: Sightings | undefined, now: number, { apartMs }: LeakLimits): Sightings {
  if (before === undefined) return { count: 1, since: now, last: now }
  const isApart = now - before.last >= apartMs || now < before.last
  return isApart ? { count: before.count + 1, since: before.since, last: now } : before
}

function live(naming: readonly WitnessName[], looking: readonly WitnessName[]): string {
  return looking.length === 0 ? `in use by ${said(naming)}` : `in use by ${said(naming)}, but not by ${said(looking)}`
}

function isOfEarlierBoot(lease: Pick<Lease, 'boot'>, boot: string): boolean {
  return lease.boot !== '' && boot !== '' && lease.boot !== boot
}

const SAID: Readonly<Record<WitnessName, string>> = {
  namespace: 'its network namespace',
  runtime: "the runtime's results",
  api: 'the API server',
}

function said(names: readonly WitnessName[]): string {
  return names.map(name => SAID[name]).join(' and ')
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
