import { declaredSet, elementsIn, hookIn } from './declarations.ts'
import { type NftOrder, orderOf } from './orders.ts'
import { isNeeded, type References, referencesOf } from './references.ts'
import { absent, busy, exists, NftRefusal, syntax } from './refusal.ts'
import {
  copyOfState,
  type NftChain,
  type NftElement,
  type NftRule,
  type NftSet,
  type NftState,
  type NftTable,
  tableKey,
} from './state.ts'
import { parsedRule } from './statements.ts'

// A script → the state after it; all of it or, where one line is refused, none.

export interface TransactionOptions {
  readonly nextHandle: () => number
  /**
   * As kernels before 6.2 do: a chain that a rule led to counts as needed until the transaction is over, although the rule is
   * gone. Sets are forgotten at once there, too.
   */
  readonly forgetsLate: boolean
}

export function applied(before: NftState, script: string, options: TransactionOptions): NftState {
  const transaction = new Transaction(before, options)
  for (const line of script.split('\n')) {
    const order = orderOf(line)
    if (order !== undefined) transaction.carryOut(order)
  }
  return transaction.after
}

class Transaction {
  readonly after: Map<string, NftTable>
  readonly #before: NftState
  readonly #options: TransactionOptions

  constructor(before: NftState, options: TransactionOptions) {
    this.#before = before
    this.#options = options
    this.after = copyOfState(before)
  }

  carryOut(order: NftOrder): void {
    const { verb, object } = order
    if (object === 'table') this.#table(order)
    else if (object === 'chain') this.#chain(order)
    else if (object === 'rule' && verb === 'add') this.#addRule(order)
    else if (object === 'set' || object === 'map') this.#set(order)
    else if (object === 'element' && (verb === 'add' || verb === 'delete')) this.#elements(order)
    else throw syntax(object)
  }

  #table({ verb, family, table, rest }: NftOrder): void {
    rest.refuseRest()
    const key = tableKey(family, table)
    const there = this.after.has(key)
    if (verb === 'delete') {
      if (!there) throw absent()
      this.after.delete(key)
    } else if (verb === 'create' && there) throw exists()
    else if (verb !== 'flush' && !there) {
      const handle = this.#options.nextHandle()
      this.after.set(key, { family, name: table, handle, chains: new Map(), sets: new Map() })
    }
  }

  #chain(order: NftOrder): void {
    const { verb, name, rest } = order
    const { chains } = this.#tableOf(order)
    const chain = chains.get(name)
    if (verb === 'add' || verb === 'create') {
      const hook = rest.over ? undefined : hookIn(rest)
      if (chain === undefined)
        chains.set(name, { handle: this.#options.nextHandle(), ...(hook && { hook }), rules: [] })
      else if (verb === 'create') throw exists()
      else if (hook !== undefined && !sameHook(chain.hook, hook)) throw notSupported()
      return
    }
    rest.refuseRest()
    if (chain === undefined) throw absent()
    if (verb === 'flush') chains.set(name, { ...chain, rules: [] })
    else {
      // Its own rules go with it.
      chains.set(name, { ...chain, rules: [] })
      if (this.#isNeeded(order, 'chains')) throw busy()
      chains.delete(name)
    }
  }

  #addRule(order: NftOrder): void {
    const table = this.#tableOf(order)
    const chain = table.chains.get(order.name)
    if (chain === undefined) throw absent()
    const rule: NftRule = { handle: this.#options.nextHandle(), ...parsedRule(order.family, order.rest) }
    mustExist(table, rule)
    table.chains.set(order.name, { ...chain, rules: [...chain.rules, rule] })
  }

  #set(order: NftOrder): void {
    const { verb, object, name, rest } = order
    const { sets } = this.#tableOf(order)
    const set = sets.get(name)
    if (verb === 'add' || verb === 'create') {
      const declared = declaredSet(object as 'set' | 'map', rest)
      if (set === undefined) sets.set(name, { handle: this.#options.nextHandle(), ...declared, elements: new Map() })
      else if (verb === 'create' || !sameKind(set, declared)) throw exists()
      return
    }
    rest.refuseRest()
    if (set === undefined) throw absent()
    if (verb === 'flush') sets.set(name, { ...set, elements: new Map() })
    else if (this.#isNeeded(order, 'sets')) throw busy()
    else sets.delete(name)
  }

  #elements(order: NftOrder): void {
    const table = this.#tableOf(order)
    const set = table.sets.get(order.name)
    if (set === undefined) throw absent()
    const elements = new Map(set.elements)
    for (const [key, element] of elementsIn(set, order.rest, order.verb)) {
      if (order.verb === 'delete') {
        if (!elements.delete(key)) throw absent()
      } else {
        const there = elements.get(key)
        if (there !== undefined && !sameValue(there, element)) throw exists()
        mustExist(table, element)
        elements.set(key, there ?? element)
      }
    }
    order.rest.refuseRest()
    table.sets.set(order.name, { ...set, elements })
  }

  #tableOf({ family, table }: NftOrder): NftTable {
    const found = this.after.get(tableKey(family, table))
    if (found === undefined) throw absent()
    return found
  }

  #isNeeded({ family, table, name }: NftOrder, kind: keyof References): boolean {
    if (isNeeded(this.#tableOf({ family, table } as NftOrder), kind, name)) return true
    const before =
      this.#options.forgetsLate && kind === 'chains' ? this.#before.get(tableKey(family, table)) : undefined
    if (before === undefined) return false
    // Its own rules never keep a chain.
    const others = new Map<string, NftChain>([...before.chains].filter(([other]) => other !== name))
    return isNeeded({ ...before, chains: others }, kind, name)
  }
}

function mustExist({ chains, sets }: NftTable, needing: NftRule | NftElement): void {
  const needed = referencesOf(needing)
  for (const name of needed.chains) if (!chains.has(name)) throw absent()
  for (const name of needed.sets) if (!sets.has(name)) throw absent()
}

function sameHook(a: NftChain['hook'], b: NonNullable<NftChain['hook']>): boolean {
  return a !== undefined && a.type === b.type && a.hook === b.hook && a.prio === b.prio
}

function sameKind(a: NftSet, b: Pick<NftSet, 'types' | 'map'>): boolean {
  return a.map === b.map && a.types.join() === b.types.join()
}

function sameValue(a: NftElement, b: NftElement): boolean {
  return JSON.stringify(a.value) === JSON.stringify(b.value)
}

function notSupported(): NftRefusal {
  return new NftRefusal('Could not process rule: Operation not supported')
}
