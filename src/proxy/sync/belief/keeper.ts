import type { Mode, Part, Unit } from '#proxy/modes/mode.ts'
import type { Book } from '#proxy/plan/book.ts'
import type { Clock, Keep } from '#system/ports.ts'
import type { KernelWatch } from '../commits/kernel-watch.ts'
import type { Sync } from '../sync.ts'
import type { Fingerprints } from './fingerprints.ts'
import { keptBelief } from './kept.ts'
import { KeptFile } from './kept-file.ts'
import { partsOf } from './known.ts'

// The belief of a lane → that of the next process, whether this one ends or is killed: a while after rules have changed,
// fingerprints are gathered, and what has changed is added to what is written down. Only for a mode all of whose units are
// parts of the ruleset.

export interface KeeperOptions {
  readonly keep: Keep
  /** What the kept text must be for, besides mode and network namespace: version, tools, boot. */
  readonly identity: readonly string[]
  /** Beyond so many units, what was kept is compared with the kernel only after the first sync: 110,000 take two seconds. */
  readonly comparedFirst?: number
}

const COMPARED_FIRST = 20_000

export interface KeeperParts {
  /** Absent where nothing outlives the process: fingerprints are gathered all the same. */
  readonly keeping?: KeeperOptions | undefined
  readonly name: string
  readonly mode: Mode
  readonly sync: Sync
  readonly fingerprints: Fingerprints | undefined
  readonly kernelWatch: KernelWatch
  readonly clock: Clock
  /** What is believed is to be compared with the kernel. */
  readonly onQuestion: () => void
}

/** Changes come in groups. */
const QUIET_MS = 1000
/** Between two steps other work is done. */
const STEP_PAUSE_MS = 5
/** While something is in doubt, or rules are written. */
const DOUBT_PAUSE_MS = 500
/** Between two whole texts: one takes half a second at 10,000 × 10. An older one helps as well. */
const PAUSE_MS = 60_000
/** As long as an ending process may gather what is still missing. */
const LAST_MS = 1000

export class Keeper {
  readonly #parts: KeeperParts
  #isResumed = false
  #wake: (() => void) | undefined
  #isChanged = false
  readonly #file: KeptFile | undefined
  #nextWholeAt = 0

  constructor(parts: KeeperParts) {
    this.#parts = parts
    const { keeping, name } = parts
    this.#file = keeping && new KeptFile(keeping.keep, name)
  }

  /** Before the first sync; later calls do nothing. */
  async resume(book: Book): Promise<void> {
    if (this.#isResumed) return
    this.#isResumed = true
    const { keeping, mode, sync, fingerprints, onQuestion } = this.#parts
    const before = this.#keptFor()
    const text = before && (await this.#file?.load())
    const kept = text === undefined ? undefined : keptBelief(text, before!.identity)
    if (kept === undefined) return
    this.#file?.goOn(kept.end)
    fingerprints?.load(kept.prints, partsOf(kept.units.keys(), mode.watches?.parts))
    const isSame = kept.generation !== undefined && this.#keptFor()?.generation === kept.generation
    const isLarge = fingerprints !== undefined && kept.units.size > (keeping?.comparedFirst ?? COMPARED_FIRST)
    sync.resume(kept.units, book, isSame || isLarge ? 'all' : 'some')
    if (!isSame && isLarge) onQuestion()
  }

  /** A sync has written these units, or more may be other than was believed. */
  changed(units: Iterable<Unit> | 'all'): void {
    if (units === 'all') this.#file?.goOn(undefined)
    else this.#file?.touch(units)
    this.#isChanged = true
    this.#wake?.()
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, fingerprints } = this.#parts
    // Without them what is written down is of worth only until the next commit.
    if (fingerprints === undefined) return
    for (let isWritten = true; !signal.aborted; ) {
      await this.#untilChanged(signal, isWritten ? undefined : this.#nextWholeAt)
      await clock.sleep(QUIET_MS, signal)
      this.#isChanged = false
      await this.#gather(signal)
      isWritten = this.#file?.mayAdd === true || clock.now() >= this.#nextWholeAt
      if (isWritten && !signal.aborted) await this.#write(() => clock.sleep(STEP_PAUSE_MS, signal))
    }
  }

  /** As the process ends. Without certainty nothing is kept; what was kept before is as true as it was. */
  async save(): Promise<void> {
    const { clock } = this.#parts
    const end = clock.now() + LAST_MS
    while (this.#step() === 'more' && clock.now() < end);
    await this.#write(async () => {})
  }

  /** Or until this time. */
  async #untilChanged(signal: AbortSignal, time: number | undefined): Promise<void> {
    if (this.#isChanged || signal.aborted) return
    const changed = new AbortController()
    this.#wake = () => changed.abort()
    const over = AbortSignal.any([signal, changed.signal])
    const { promise, resolve } = Promise.withResolvers<void>()
    over.addEventListener('abort', () => resolve(), { once: true })
    const { clock } = this.#parts
    await (time === undefined ? promise : clock.sleep(time - clock.now(), over))
    this.#wake = undefined
  }

  async #gather(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    for (let state = this.#step(); state !== 'done' && !signal.aborted; state = this.#step()) {
      await clock.sleep(state === 'more' ? STEP_PAUSE_MS : DOUBT_PAUSE_MS, signal)
    }
  }

  /** What the kernel says of parts counts only where it is known to have what is believed, before and after. */
  #step(): 'more' | 'done' | 'later' {
    const { sync, fingerprints, kernelWatch } = this.#parts
    if (!kernelWatch.isExact) return 'done'
    const before = kernelWatch.generation()
    if (before === undefined || sync.certain === undefined) return 'later'
    if (fingerprints === undefined || fingerprints.missing === 0) return 'done'
    try {
      const taken = fingerprints.gather()
      if (kernelWatch.generation() === before && sync.certain !== undefined) return 'more'
      fingerprints.outdate(taken)
    } catch {
      // The kernel refused to list; nothing was taken.
    }
    return 'later'
  }

  async #write(pause: () => Promise<void>): Promise<void> {
    const { mode, sync, fingerprints, clock } = this.#parts
    const file = this.#file
    const about = this.#keptFor()
    const installed = sync.certain
    const parts = mode.watches?.parts
    if (file === undefined || about === undefined || installed === undefined || parts === undefined) return
    const content = { installed, prints: fingerprints?.prints ?? new Map<Part, number>(), about }
    file.touch(fingerprints?.takeMoved() ?? [])
    if (await file.add(content)) return
    for (const unit of installed.keys()) if (parts.of(unit) === undefined) return
    const isSame = () => sync.certain === installed && this.#keptFor()?.generation === about.generation
    await file.writeWhole(content, { pause, isSame })
    this.#nextWholeAt = clock.now() + PAUSE_MS
  }

  #keptFor() {
    const { kernelWatch, keeping, mode } = this.#parts
    const generation = kernelWatch.generation()
    const namespace = kernelWatch.namespace()
    if (generation === undefined || namespace === undefined) return undefined
    return { generation, identity: [...(keeping?.identity ?? []), mode.name, namespace] }
  }
}
