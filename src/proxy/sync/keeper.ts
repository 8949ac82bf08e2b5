import type { Mode } from '#proxy/modes/mode.ts'
import type { Book } from '#proxy/plan/book.ts'
import type { Keep } from '#system/ports.ts'
import { keptText, keptUnits } from './kept.ts'
import type { KernelWatch } from './kernel-watch.ts'
import type { Sync } from './sync.ts'

// The belief of a lane when its process ends → that of the next one, where the kernel says that nothing was committed
// meanwhile. Only for a mode all of whose units are parts of the ruleset.

export interface KeeperOptions {
  readonly keep: Keep
  /** What the kept text must be for, besides mode and network namespace: version, tools, boot. */
  readonly identity: readonly string[]
}

export interface KeeperParts extends KeeperOptions {
  readonly name: string
  readonly mode: Mode
  readonly sync: Sync
  readonly kernelWatch: KernelWatch
}

export class Keeper {
  readonly #parts: KeeperParts
  #isResumed = false

  constructor(parts: KeeperParts) {
    this.#parts = parts
  }

  /** Before the first sync; later calls do nothing. */
  async resume(book: Book): Promise<void> {
    if (this.#isResumed) return
    this.#isResumed = true
    const { keep, name, sync } = this.#parts
    const before = this.#keptFor()
    const text = before && (await keep.load(name))
    const after = this.#keptFor()
    if (text === undefined || after?.generation !== before?.generation) return
    const units = keptUnits(text, after!)
    if (units !== undefined) sync.resume(units, book)
  }

  /** As the process ends. Without certainty nothing is kept; what was kept before is of another generation. */
  async save(): Promise<void> {
    const { keep, name, mode, sync } = this.#parts
    const kept = this.#keptFor()
    const installed = sync.certain
    const parts = mode.watches?.parts
    if (kept === undefined || installed === undefined || parts === undefined) return
    for (const unit of installed.keys()) if (parts.of(unit) === undefined) return
    await keep.save(name, keptText(installed, kept))
  }

  #keptFor() {
    const { kernelWatch, identity, mode } = this.#parts
    const generation = kernelWatch.generation()
    const namespace = kernelWatch.namespace()
    if (generation === undefined || namespace === undefined) return undefined
    return { generation, identity: [...identity, mode.name, namespace] }
  }
}
