import type { Outcome } from '#system/ports.ts'
import { type CommitError, operationOf, ruleIn, Transaction } from './apply.ts'
import { TABLE_NAMES, type TableName } from './builtin.ts'
import { type Change, changeOf, newName } from './change.ts'
import { failed, kernelRefusal, ownName, type Program, refusal } from './program.ts'
import { notUnderstood, Refused, usage } from './refused.ts'
import type { Rule } from './rule/rule.ts'
import type { Table } from './table.ts'
import { objection } from './verify.ts'
import { wordsOf } from './words.ts'

// An iptables-restore document → the tables after it. Each `*table … COMMIT` is done as a whole or not at all.

export interface RestoreOptions {
  readonly flush: 'flush' | 'noflush'
  readonly counters: 'keep' | 'zero'
  readonly commit: 'commit' | 'test'
  /** Everything else in the document is passed over. */
  readonly only: string | undefined
}

interface Step {
  readonly line: number
  readonly change: Change
}

export class Restore {
  readonly #program: Program
  readonly #options: RestoreOptions
  #block: Block | undefined
  #passingOver = false

  constructor(program: Program, options: RestoreOptions) {
    this.#program = program
    this.#options = options
  }

  /** Undefined where all went well. */
  run(input: string): Outcome | undefined {
    const lines = input.split('\n')
    const last = lines.at(-1) === '' ? lines.pop() : 'unfinished'
    for (const [i, text] of lines.entries()) {
      // Legacy 1.8.9 does not take a COMMIT at the very end without a newline for one.
      const unfinished = i === lines.length - 1 && last === 'unfinished' && this.#program.variant === 'legacy'
      const failure = this.#take(unfinished ? `${text} ` : text, i + 1)
      if (failure !== undefined) return failure
    }
    if (this.#block === undefined) return undefined
    return failed(1, `${ownName(this.#program)}: COMMIT expected at line ${lines.length + 1}`)
  }

  #take(text: string, line: number): Outcome | undefined {
    if (text === '' || text.startsWith('#')) return undefined
    try {
      if (text.startsWith('*') && this.#block === undefined) return this.#begin(text.slice(1).trim(), line)
      if (this.#passingOver) return undefined
      if (this.#block === undefined) return failed(1, `${ownName(this.#program)}: line ${line} failed`)
      if (text === 'COMMIT') return this.#commit(this.#block, line)
      return this.#block.take(text, line)
    } catch (error) {
      if (error instanceof Refused) return refusal(this.#program, error, line)
      throw error
    }
  }

  #begin(name: string, line: number): undefined {
    this.#passingOver = this.#options.only !== undefined && this.#options.only !== name
    if (this.#passingOver) return
    if (name === 'security') throw notUnderstood('the table security')
    if (!(TABLE_NAMES as readonly string[]).includes(name)) {
      throw usage(`${ownName(this.#program)}: line ${line} table name '${name}' invalid`)
    }
    this.#block = new Block(this.#program, this.#options, name as TableName)
  }

  #commit(block: Block, line: number): Outcome | undefined {
    this.#block = undefined
    const failure = block.finish(line)
    if (failure === undefined && this.#options.commit === 'commit') this.#program.ruleset.put(block.table)
    return failure
  }
}

/** One `*table … COMMIT`. iptables-nft reads it all, then works; legacy works line by line. */
class Block {
  readonly #program: Program
  readonly #options: RestoreOptions
  readonly #name: TableName
  readonly #steps: Step[] = []
  readonly table: Table
  readonly #transaction: Transaction

  constructor(program: Program, options: RestoreOptions, name: TableName) {
    this.#program = program
    this.#options = options
    this.#name = name
    this.table = this.#draft()
    this.#transaction = new Transaction(this.table)
  }

  take(text: string, line: number): Outcome | undefined {
    const change = text.startsWith(':') ? this.#declaration(text, line) : this.#ruleChange(text, line)
    this.#steps.push({ line, change })
    if (this.#program.variant === 'nft') return undefined
    if (change.what === 'declare' && this.#options.flush === 'flush') this.#refuseTwice(change.chain)
    this.#transaction.apply(change, line)
    return undefined
  }

  /** A test run of nft looks at the words alone; legacy has looked at everything but what the kernel finds. */
  finish(line: number): Outcome | undefined {
    if (this.#options.commit === 'test') return undefined
    const refused = this.#program.variant === 'nft' ? this.#applyAll(line) : undefined
    if (refused !== undefined) return refused
    if (this.#transaction.crashes) return failed(139, 'Segmentation fault')
    if (this.#transaction.errors.length > 0) return kernelRefusal(this.#program, this.#transaction.errors)
    if (objection(this.table) === undefined) return undefined
    if (this.#program.variant === 'legacy') return failed(1, `${ownName(this.#program)}: line ${line} failed`)
    return kernelRefusal(this.#program, this.#refusedLines())
  }

  /** The refusal of a line that the tool itself does not let through. */
  #applyAll(commitLine: number): Outcome | undefined {
    for (const { line, change } of this.#steps) {
      try {
        this.#transaction.apply(change, line)
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        return refusal(this.#program, error, error.kind === 'table' ? line : commitLine)
      }
    }
    return undefined
  }

  /** The kernel applies the steps again and checks the whole table after each rule: it names every rule from the first bad one on. */
  #refusedLines(): readonly CommitError[] {
    const table = this.#draft()
    const transaction = new Transaction(table)
    const found: CommitError[] = []
    for (const [i, { line, change }] of this.#steps.entries()) {
      transaction.apply(change, line)
      if (!bringsRule(change) || this.#steps.slice(i).some(step => flushes(step.change, change.chain))) continue
      const error = objection(table)
      if (error !== undefined) found.push({ line, operation: operationOf(change), error, where: ruleIn(change.chain) })
    }
    return found
  }

  #draft(): Table {
    const table = this.#program.ruleset.table(this.#name).draft()
    if (this.#options.flush === 'flush') table.wipe()
    return table
  }

  #declaration(text: string, line: number): Change {
    const [chain = '', policy, counters = ''] = text
      .slice(1)
      .trim()
      .split(/[ \t]+/)
    if (policy === undefined) throw usage(`${ownName(this.#program)}: line ${line} policy invalid`)
    const counted = this.#options.counters === 'keep' ? /^\[(\d+:\d+)\]$/.exec(counters)?.[1] : undefined
    const name = this.table.isBuiltin(chain) ? chain : newName(chain)
    return { what: 'declare', chain: name, policy, counters: counted ?? '0:0' }
  }

  #ruleChange(text: string, line: number): Change {
    const match = /^\[([^\]]*)(\])?/.exec(text)
    if (match !== null && match[2] === undefined) throw usage(`Bad line ${line}: need ]`)
    if (match !== null && !/^\d+:\d+$/.test(match[1]!)) throw notUnderstood(`the counters "${match[0]}"`)
    const counters = match === null || this.#options.counters === 'zero' ? '0:0' : match[1]!
    const change = changeOf(
      wordsOf(text.slice(match?.[0].length ?? 0)),
      { ...this.#program, table: this.#name },
      counters,
    )
    if (change.what === 'list') throw notUnderstood('-S in a restore document')
    return change
  }

  /** After its own flush, legacy does not expect a chain to be there already. */
  #refuseTwice(chain: string): void {
    if (this.table.isBuiltin(chain) || !this.table.has(chain)) return
    throw usage(`error creating chain '${chain}':File exists`)
  }
}

function bringsRule(change: Change): change is Extract<Change, { rule: Rule }> {
  return change.what === 'append' || change.what === 'insert' || change.what === 'replace'
}

function flushes(change: Change, chain: string): boolean {
  return change.what === 'flush' && change.chain === chain
}
