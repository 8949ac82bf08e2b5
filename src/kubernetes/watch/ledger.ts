import { type Decoded, decodeAs, nameIn } from '#kubernetes/decode/decode.ts'
import { type Event, putOf } from '#kubernetes/event.ts'
import type { ObjectKind } from '#kubernetes/objects.ts'
import type { ObjectName } from '#values/names.ts'
import type { Item } from './frames.ts'

// What was delivered of each object → what must be delivered now. Names and marks only: the objects live with the
// consumer.

/** An object that arrived: decoded, and without its JSON. */
export interface Arrival {
  readonly name: ObjectName | undefined
  readonly mark: string
  readonly decoded: Decoded
}

/** Events to deliver; the ledger notes them once they were applied. */
export interface Delivery {
  readonly events: readonly Event[]
  readonly name: ObjectName | undefined
  /** Absent: the object is gone. */
  readonly mark?: string
  readonly usable: 'yes' | 'no'
}

export class Ledger {
  readonly #kind: ObjectKind
  readonly #marks = new Map<ObjectName, string>()
  /** Of these only their problems were delivered: the consumer does not have them. */
  readonly #unusable = new Set<ObjectName>()

  constructor(kind: ObjectKind) {
    this.#kind = kind
  }

  /** How many objects the consumer has. */
  get size(): number {
    return this.#marks.size - this.#unusable.size
  }

  names(): Iterable<ObjectName> {
    return this.#marks.keys()
  }

  /** Whether exactly this was delivered already: it comes twice where a watch is resumed. */
  knows({ name, mark, resourceVersion }: Item): boolean {
    return name !== undefined && resourceVersion !== '' && this.#marks.get(name) === mark
  }

  arrival({ name, mark, raw }: Item): Arrival {
    return { name, mark, decoded: decodeAs(this.#kind, raw) }
  }

  put({ name, mark, decoded }: Arrival): Delivery {
    const { problems } = decoded
    const problem: readonly Event[] =
      problems.length === 0 ? [] : [{ type: 'problem', kind: this.#kind, name: nameIn(decoded), problems }]
    if (decoded.ok) {
      return { events: [...problem, putOf(decoded.object, decoded.warnings)], name, mark, usable: 'yes' }
    }
    const delivered = name !== undefined && this.#marks.has(name) && !this.#unusable.has(name)
    return { events: delivered ? [...problem, ...this.gone(name).events] : problem, name, mark, usable: 'no' }
  }

  /** Also for an object with nothing usable: its problem is over. */
  gone(name: ObjectName): Delivery {
    const events: readonly Event[] = this.#marks.has(name) ? [{ type: 'gone', kind: this.#kind, name }] : []
    return { events, name, usable: 'no' }
  }

  applied({ name, mark, usable }: Delivery): void {
    if (name === undefined) return
    if (mark === undefined) this.#marks.delete(name)
    else this.#marks.set(name, mark)
    if (mark !== undefined && usable === 'no') this.#unusable.add(name)
    else this.#unusable.delete(name)
  }
}

/** A complete list, gathered piece by piece: what has changed since the last delivery. */
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
  *changes(): Generator<Delivery> {
    for (const name of this.#ledger.names()) {
      if (!this.#seen.has(name)) yield this.#ledger.gone(name)
    }
    for (const arrival of this.#seen.values()) {
      if (arrival !== undefined) yield this.#ledger.put(arrival)
    }
    for (const arrival of this.#nameless) yield this.#ledger.put(arrival)
  }
}
