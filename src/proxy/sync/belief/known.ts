import type { Mode, Part, Parts, Ruleset, Unit } from '#proxy/modes/mode.ts'
import type { Kernel, RulesetDump } from '#system/ports.ts'
import { adopted, type Doubts, NO_UNITS, noDoubts, READ_AT_MOST, type Settled, settle, UNKNOWN_TEXT } from './belief.ts'
import type { Fingerprints, PartState, Standing } from './fingerprints.ts'

// A belief and what of it is in doubt → what is installed in the kernel. Where nothing is believed, what was believed last, or
// kept by another process, is compared with the kernel part by part; where that is no help, all is read as text.

export interface Known {
  readonly installed: Map<Unit, string>
  /** How doubts were settled. */
  readonly settled: Settled
  /** All units are to be compared with what is wanted. */
  readonly isNew: boolean
  /** All was read as text, also what other programs wrote. */
  readonly isListed: boolean
}

export interface KnownParts {
  readonly mode: Mode
  readonly kernel: Kernel
  readonly wanted: Ruleset
  readonly dump: RulesetDump | undefined
  readonly fingerprints: Fingerprints | undefined
}

const NOTHING_TO_SETTLE: Settled = { compare: NO_UNITS, rewrite: NO_UNITS, unknown: NO_UNITS }

/** Up to this many parts are listed as text in a third of a second; ten times as many take the tool a hundred times as long. */
const LISTED_AT_ONCE = 5000

export async function known(
  installed: Map<Unit, string> | undefined,
  doubts: Doubts,
  { remembered, ...about }: KnownParts & { readonly remembered: ReadonlyMap<Unit, string> | undefined },
): Promise<Known> {
  if (installed === undefined) return (await recalled(remembered ?? new Map(), about)) ?? (await read(about))
  const settled = await settledIn(installed, doubts, about)
  return settled === undefined ? read(about) : { installed, settled, isNew: false, isListed: false }
}

async function settledIn(
  installed: Map<Unit, string>,
  doubts: Doubts,
  { mode, kernel, wanted, dump, fingerprints }: KnownParts,
): Promise<Settled | undefined> {
  const parts = mode.watches?.parts
  if (parts === undefined) return { ...NOTHING_TO_SETTLE, compare: doubts.units }
  return settle(doubts, { installed, wanted, parts, kernel, dump, fingerprints })
}

async function read({ mode, kernel, wanted, dump, fingerprints }: KnownParts): Promise<Known> {
  const found = await mode.read(kernel, dump)
  fingerprints?.restart(partsOf(found.keys(), mode.watches?.parts))
  return { installed: adopted(found, wanted), settled: NOTHING_TO_SETTLE, isNew: true, isListed: true }
}

export function partsOf(units: Iterable<Unit>, parts: Parts | undefined): ReadonlySet<Part> {
  const found = new Set<Part>()
  for (const unit of units) {
    const part = parts?.of(unit)
    if (part !== undefined) found.add(part)
  }
  return found
}

/** Undefined where the kernel cannot be asked, or a listing is quicker. */
async function recalled(remembered: ReadonlyMap<Unit, string>, about: KnownParts): Promise<Known | undefined> {
  const { mode, fingerprints } = about
  const parts = mode.watches?.parts
  const standing = await fingerprints?.standing()
  if (parts === undefined || standing === undefined || isListedSooner(standing)) return undefined
  const installed = new Map<Unit, string>()
  for (const [unit, text] of remembered) if (standing.has(parts.of(unit)!)) installed.set(unit, text)
  const doubts = noDoubts()
  for (const part of partsThat(standing, 'other', 'unknown')) {
    const where = standing.get(part) === 'other' ? doubts.parts : doubts.unknown
    where.add(part)
    const unit = parts.unitOf(part)
    if (unit !== undefined) installed.set(unit, UNKNOWN_TEXT)
  }
  const settled = await settledIn(installed, doubts, about)
  return settled && { installed, settled, isNew: true, isListed: false }
}

/** Where few parts stand, and of most nothing is known. */
export function isListedSooner(standing: Standing): boolean {
  const open = partsThat(standing, 'other', 'unknown').length
  return standing.size <= LISTED_AT_ONCE && (open > READ_AT_MOST || open === standing.size)
}

export function partsThat(standing: Standing, ...are: readonly PartState[]): readonly Part[] {
  return [...standing].filter(([, state]) => are.includes(state)).map(([part]) => part)
}
