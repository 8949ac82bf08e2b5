import type { Machine } from '../machine.ts'
import { entryOf, type SetFamily, SetRefusal } from './set-entries.ts'

// The IP sets of a kernel: made, filled, swapped and destroyed one by one, and refused as the kernel does.

/** What a set is made with. */
export interface SetShape {
  readonly type: string
  readonly family: SetFamily
  readonly most: number
  /** Seconds that a member has where it is not said; absent where members cannot expire. */
  readonly timeout?: number
}

interface IpSet extends SetShape {
  /** Each with its seconds; 0: it stays. */
  readonly members: Map<string, number>
}

/** `known`: with -exist, what is there already or gone already is as wanted. */
export type IfKnown = 'refuse' | 'known'

export class IpSets {
  readonly #machine: Machine
  readonly #sets = new Map<string, IpSet>()

  constructor(machine: Machine, sets: Iterable<readonly [string, IpSet]> = []) {
    this.#machine = machine
    for (const [name, set] of sets) this.#put(name, { ...set, members: new Map(set.members) })
  }

  get names(): readonly string[] {
    return [...this.#sets.keys()]
  }

  shapeOf(name: string): SetShape {
    return this.#known(name)
  }

  membersOf(name: string): ReadonlyMap<string, number> {
    return this.#known(name).members
  }

  /** The family of a set that is there is not looked at. */
  create(name: string, shape: SetShape, ifKnown: IfKnown): void {
    const set = this.#sets.get(name)
    if (set === undefined) {
      this.#put(name, { ...shape, members: new Map() })
      return
    }
    const isAlike = set.type === shape.type && set.most === shape.most && set.timeout === shape.timeout
    if (!isAlike || ifKnown === 'refuse') {
      throw new SetRefusal('Set cannot be created: set with the same name already exists')
    }
  }

  /** What is wrong with the words of the entry is found out before this, by `entry`. */
  add(
    name: string,
    entry: string,
    { seconds, ifKnown }: { readonly seconds?: number; readonly ifKnown: IfKnown },
  ): void {
    const { members, timeout, most } = this.#known(name)
    if (seconds !== undefined && timeout === undefined) {
      throw new SetRefusal('Timeout cannot be used: set was created without timeout support')
    }
    if (members.has(entry) && ifKnown === 'refuse') {
      throw new SetRefusal("Element cannot be added to the set: it's already added")
    }
    // A range of all addresses.
    if (entry.endsWith('/0')) throw new SetRefusal('The value of the CIDR parameter of the IP address is invalid')
    if (!members.has(entry) && members.size >= most) {
      throw new SetRefusal('Hash is full, cannot add more elements')
    }
    members.set(entry, seconds ?? timeout ?? 0)
  }

  delete(name: string, entry: string, ifKnown: IfKnown): void {
    if (!this.#known(name).members.delete(entry) && ifKnown === 'refuse') {
      throw new SetRefusal("Element cannot be deleted from the set: it's not added")
    }
  }

  /** Rules go on looking up the names. */
  swap(name: string, other: string): void {
    const one = this.#known(name)
    const two = this.#sets.get(other)
    if (two === undefined) throw new SetRefusal('Sets cannot be swapped: the second set does not exist')
    if (one.type !== two.type || one.family !== two.family) {
      throw new SetRefusal('The sets cannot be swapped: their type does not match')
    }
    this.#put(name, two)
    this.#put(other, one)
  }

  destroy(name: string, ifKnown: IfKnown): void {
    if (ifKnown === 'known' && !this.#sets.has(name)) return
    this.#known(name)
    if ([...this.#machine.lookups].some(isLookedUp => isLookedUp(name))) {
      throw new SetRefusal('Set cannot be destroyed: it is in use by a kernel component')
    }
    this.#sets.delete(name)
    this.#machine.sets.delete(name)
  }

  clear(): void {
    for (const name of this.names) this.#machine.sets.delete(name)
    this.#sets.clear()
  }

  /** A copy that does not share state with this one. */
  copyTo(machine: Machine): IpSets {
    return new IpSets(machine, this.#sets)
  }

  /** As the set of this name takes it. */
  entry(name: string, text: string): string {
    const { type, family } = this.#known(name)
    return entryOf(type, family, text)
  }

  #put(name: string, set: IpSet): void {
    this.#sets.set(name, set)
    this.#machine.sets.set(name, { family: set.family })
  }

  #known(name: string): IpSet {
    const set = this.#sets.get(name)
    if (set === undefined) throw new SetRefusal('The set with the given name does not exist')
    return set
  }
}
