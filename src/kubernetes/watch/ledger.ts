import { type Decoded, decodeAs } from '#kubernetes/decode.ts'
import type { Event } from '#kubernetes/event.ts'
import type { Kind } from '#kubernetes/objects.ts'
import type { ObjectName } from '#values/names.ts'
import type { Item } from './frames.ts'

// What was told of each object → what must be told now. Names and marks only: the objects live with who was told.

/** An object that arrived: decoded, and without its JSON. */
export interface Arrival {
  readonly name: ObjectName | undefined
  readonly mark: string
  readonly decoded: Decoded
}

/** Events to deliver; the ledger notes them once they were applied. */
export interface Telling {
  readonly events: readonly Event[]
  readonly name: ObjectName | undefined
  /** Absent: the object is gone. */
  readonly mark?: string
  readonly usable: 'yes' | 'no'
}

export class Ledger {
  readonly #kind: Kind
  readonly #marks = new Map<ObjectName, string>()
  /** Of these only their problems were told: whoever listens does not have them. */
  readonly #unusable = new Set<ObjectName>()

  constructor(kind: Kind) {
    this.#kind = kind
  }

  /** How many objects whoever listens has. */
  get size(): number {
    return this.#marks.size - this.#unusable.size
  }

  names(): Iterable<ObjectName> {
    return this.#marks.keys()
  }

  /** Whether exactly this was told already: it comes twice where a watch is resumed. */
  knows({ name, mark, resourceVersion }: Item): boolean {
    return name !== undefined && resourceVersion !== '' && this.#marks.get(name) === mark
  }

  arrival({ name, mark, raw }: Item): Arrival {
    return { name, mark, decoded: decodeAs(this.#kind, raw) }
  }

  put({ name, mark, decoded }: Arrival): Telling {
    const label = decoded.ok ? decoded.object.name : decoded.label
    const { problems } = decoded
    const problem: readonly Event[] =
      problems.length === 0 ? [] : [{ type: 'problem', kind: this.#kind, name: label, problems }]
    if (decoded.ok) return { events: [...problem, { type: 'put', object: decoded.object }], name, mark, usable: 'yes' }
    const delivered = name !== undefined && this.#marks.has(name) && !this.#unusable.has(name)
    return { events: delivered ? [...problem, ...this.gone(name).events] : problem, name, mark, usable: 'no' }
  }

  /** Told of an object with nothing usable, too: its problem is over. */
  gone(name: ObjectName): Telling {
    const events: readonly Event[] = this.#marks.has(name) ? [{ type: 'gone', kind: this.#kind, name }] : []
    return { events, name, usable: 'no' }
  }

  applied({ name, mark, usable }: Telling): void {
    if (name === undefined) return
    if (mark === undefined) this.#marks.delete(name)
    else this.#marks.set(name, mark)
    if (mark !== undefined && usable === 'no') this.#unusable.add(name)
    else this.#unusable.delete(name)
  }
}

/** A complete list, gathered piece by piece: what has changed since the last thing we told. */
export class Picture {
  readonly #ledger: Ledger
  /** Nothing beside a name: it is as the ledger knows it, and was not even decoded. */
  readonly #seen = new Map<ObjectName, Arrival | undefined>()
  readonly #nameless: Arrival[] = []

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  put(item: Item): void {
    const arrival = this.#ledger.knows(item) ? undefined : this.#ledger.arrival(item)
    if (item.name !== undefined) this.#seen.set(item.name, arrival)
    else if (arrival !== undefined) this.#nameless.push(arrival)
  }

  gone({ name }: Item): void {
    if (name !== undefined) this.#seen.delete(name)
  }

  /** Removals first: what comes may need the address of what goes. */
  *changes(): Generator<Telling> {
    for (const name of this.#ledger.names()) {
      if (!this.#seen.has(name)) yield this.#ledger.gone(name)
    }
    for (const arrival of this.#seen.values()) {
      if (arrival !== undefined) yield this.#ledger.put(arrival)
    }
    for (const arrival of this.#nameless) yield this.#ledger.put(arrival)
  }
}
