import type { Mode, Ruleset, Unit } from '#proxy/modes/mode.ts'
import type { Kernel } from '#system/ports.ts'

// One comparison of belief with the kernel, in the background: reading may take a minute on a large node, and runs go on
// meanwhile.

export class Audit {
  /** Units that runs have written, or were about to write, since it began: what it found of them is no longer so. */
  readonly #written = new Set<Unit>()

  wrote(units: Iterable<Unit>): void {
    for (const unit of units) this.#written.add(unit)
  }

  /** Units that differ from what is believed, with the text they have; undefined where they are not there. */
  async differences(mode: Mode, kernel: Kernel, installed: Ruleset): Promise<ReadonlyMap<Unit, string | undefined>> {
    const found = await mode.read(kernel)
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
