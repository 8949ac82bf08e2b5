import type { Mode, Part, Ruleset, Unit } from '#proxy/modes/mode.ts'
import type { Kernel, RulesetDump } from '#system/ports.ts'
import type { Doubts } from './belief.ts'
import type { Fingerprints, Standing } from './fingerprints.ts'
import { isListedSooner, partsOf, partsThat } from './known.ts'

// One comparison of belief with the kernel, in the background: it may take long on a large node, and runs go on meanwhile.

export interface AuditParts {
  readonly mode: Mode
  readonly kernel: Kernel
  readonly installed: Ruleset
  readonly dump: RulesetDump | undefined
  readonly fingerprints: Fingerprints | undefined
}

export interface Differences {
  /** Units that differ from what is believed, with the text they have; undefined where they are not there. */
  readonly units: ReadonlyMap<Unit, string | undefined>
  /** Parts that have other rules than is believed. */
  readonly parts: ReadonlySet<Part>
  /** Parts of which nothing is known. */
  readonly unknown: ReadonlySet<Part>
}

export class Audit {
  /** Units that runs have written, or were about to write, since it began: what it found of them is no longer so. */
  readonly #written = new Set<Unit>()
  readonly #parts: AuditParts

  constructor(parts: AuditParts) {
    this.#parts = parts
  }

  wrote(units: Iterable<Unit>): void {
    for (const unit of units) this.#written.add(unit)
  }

  async differences(): Promise<Differences> {
    const standing = await this.#parts.fingerprints?.standing()
    if (standing !== undefined && !isListedSooner(standing)) return { units: new Map(), ...this.#among(standing) }
    return { units: await this.#listed(), parts: new Set(), unknown: new Set() }
  }

  #among(standing: Standing): Pick<Differences, 'parts' | 'unknown'> {
    const { mode, installed } = this.#parts
    const parts = mode.watches?.parts
    const written = partsOf(this.#written, parts)
    const gone = partsOf(installed.keys(), parts)
      .values()
      .filter(part => !standing.has(part))
    return {
      parts: new Set([...partsThat(standing, 'other'), ...gone]).difference(written),
      unknown: new Set(partsThat(standing, 'unknown')).difference(written),
    }
  }

  async #listed(): Promise<ReadonlyMap<Unit, string | undefined>> {
    const { mode, kernel, installed, dump } = this.#parts
    const found = await mode.read(kernel, dump)
    const different = new Map<Unit, string | undefined>()
    const compare = (unit: Unit): void => {
      const text = found.get(unit)
      if (text !== installed.get(unit) && !this.#written.has(unit)) different.set(unit, text)
    }
    for (const unit of installed.keys()) compare(unit)
    for (const unit of found.keys()) if (!installed.has(unit)) compare(unit)
    return different
  }
}

/** The belief is corrected where texts were read, and the rest is in doubt. */
export function noteDifferences(
  { units, parts, unknown }: Differences,
  installed: Map<Unit, string>,
  doubts: Doubts,
): 'confirmed' | 'corrected' {
  for (const [unit, text] of units) {
    if (text === undefined) installed.delete(unit)
    else installed.set(unit, text)
    doubts.units.add(unit)
  }
  for (const part of parts) doubts.parts.add(part)
  for (const part of unknown) doubts.unknown.add(part)
  return units.size + parts.size + unknown.size === 0 ? 'confirmed' : 'corrected'
}
