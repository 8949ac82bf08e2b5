import type { Unit } from '#proxy/modes/mode.ts'
import { textOf } from '#proxy/modes/unit.ts'
import { BASE_OWNER, type Book } from '#proxy/plan/book.ts'
import { CommandFailed } from '#system/must.ts'
import { NOT_EXECUTABLE, NOT_FOUND, TIMED_OUT } from '#system/ports.ts'

// A document that is refused → the owners because of whose entries it is, withheld, and all others written. Owners are tried,
// not single units: what one owner has refers to nothing that only another has.

export interface Refused {
  /** `shop/cart:http/tcp` */
  readonly owner: string
  /** As it is shown. */
  readonly unit: string
  readonly error: unknown
}

export interface IsolationParts<Done> {
  readonly book: Book
  /** Throws what a sync throws. */
  readonly attempt: () => Promise<Done>
  /** Half of all owners may be left out for a moment; otherwise only those that the tool's error points to. */
  readonly mayHalve: boolean
}

/** The rules of a former process stand: more Services than this are not left out, not even for a moment. */
const FEW = 100

/** As many documents are tried at most; more are refused for a reason that no single owner has. */
const ATTEMPTS = 64

export class Isolation<Done> {
  readonly #parts: IsolationParts<Done>
  readonly done: Done[] = []
  readonly refused: Refused[] = []
  #attempts = 0
  #isWritten = false

  constructor(parts: IsolationParts<Done>) {
    this.#parts = parts
  }

  /** False where no owners were found because of whom it was refused; the book is then as it was. */
  async run(error: unknown): Promise<boolean> {
    const { book, mayHalve } = this.#parts
    const candidates = new Set([...book.changed()].filter(owner => owner !== BASE_OWNER && !book.withheld.has(owner)))
    const all = candidates.size
    const groups: Group[] = []
    let failure: unknown = error
    while (failure !== undefined) {
      const named = suspects(failure, candidates, book)
      const isFew = named.length > 0 && (mayHalve || named.length <= FEW)
      const owners = isFew ? named : mayHalve ? [...candidates] : []
      if (owners.length === 0 || !isRefusal(failure) || this.#attempts > ATTEMPTS) {
        return this.#givesUp(groups)
      }
      groups.push({ owners, failure })
      for (const owner of owners) {
        candidates.delete(owner)
        book.withhold(owner)
      }
      failure = await this.#try()
    }
    for (const group of groups) await this.#halve(group)
    // Where every one is refused, the node lacks what the mode needs, and no Service is to blame.
    if (this.#attempts > ATTEMPTS || (all > 1 && this.refused.length === all)) return this.#givesUp(groups)
    return this.#isWritten || (await this.#try()) === undefined
  }

  #givesUp(groups: readonly Group[]): false {
    for (const { owners } of groups) for (const owner of owners) this.#parts.book.release(owner)
    return false
  }

  /** A group that was refused as a whole, and is withheld. */
  async #halve({ owners, failure }: Group): Promise<void> {
    const { book } = this.#parts
    if (this.#attempts > ATTEMPTS) return
    const [owner, ...more] = owners
    if (more.length === 0) {
      this.refused.push({ owner: owner!, unit: guiltyUnit(owner!, failure, book), error: failure })
      return
    }
    const middle = owners.length >> 1
    for (const half of [owners.slice(0, middle), owners.slice(middle)]) {
      for (const owner of half) book.release(owner)
      const again = await this.#try()
      if (again === undefined) continue
      for (const owner of half) book.withhold(owner)
      await this.#halve({ owners: half, failure: again })
    }
  }

  async #try(): Promise<unknown> {
    this.#attempts++
    this.#isWritten = false
    try {
      this.done.push(await this.#parts.attempt())
      this.#isWritten = true
      return undefined
    } catch (error) {
      return error
    }
  }
}

interface Group {
  readonly owners: readonly string[]
  readonly failure: unknown
}

/** The tool was there and ran, no other process held its lock, and it did not take what it was given. */
export function isRefusal(error: unknown): error is CommandFailed {
  if (!(error instanceof CommandFailed) || error.command.input === undefined) return false
  const { code, stderr } = error.outcome
  const isEnded = code >= ENDED_BY_SIGNAL || [TIMED_OUT, NOT_EXECUTABLE, NOT_FOUND].includes(code)
  return !isEnded && !BUSY.test(stderr)
}

/** 128 and the signal's number. */
const ENDED_BY_SIGNAL = 128
const BUSY = /xtables lock|temporarily unavailable|cannot allocate memory|permission denied|not permitted/i

/** Owners with entries in the line that the error names; where that is the end of a block, in the whole block. */
function suspects(error: unknown, candidates: ReadonlySet<string>, book: Book): readonly string[] {
  const lines = new Set(refusedLines(error))
  if (lines.size === 0) return []
  const [only] = lines
  const isIn = (line: string): boolean => lines.has(line) || (lines.size === 1 && line !== '' && only!.includes(line))
  return [...candidates].filter(owner =>
    book
      .entriesOf(owner)
      .values()
      .some(text => text.split('\n').some(isIn)),
  )
}

function refusedLines(error: unknown): readonly string[] {
  if (!(error instanceof CommandFailed) || error.line === undefined) return []
  const lines = error.command.input?.split('\n') ?? []
  const at = error.line - 1
  if (lines[at] !== 'COMMIT') return lines.slice(at, at + 1).filter(line => line !== '')
  const start = lines.lastIndexOf('COMMIT', at - 1) + 1
  return lines.slice(start, at).filter(line => line.startsWith('-'))
}

/** The unit with the refused line; where none is named, the owner's first. */
function guiltyUnit(owner: string, failure: unknown, book: Book): string {
  const wanted = book.withheld.get(owner) ?? new Map<Unit, string>()
  const [line] = refusedLines(failure)
  const named = [...wanted].find(([, text]) => line !== undefined && text.split('\n').includes(line))
  const unit = named?.[0] ?? wanted.keys().next().value
  return unit === undefined ? owner : textOf(unit)
}
