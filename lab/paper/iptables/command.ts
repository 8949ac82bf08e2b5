import type { Outcome } from '#system/ports.ts'
import { operationOf, ruleIn, Transaction } from './apply.ts'
import { TABLE_NAMES, type TableName } from './builtin.ts'
import { type Change, changeOf } from './change.ts'
import { done, failed, kernelRefusal, ownName, type Program, refusal, version } from './program.ts'
import { notUnderstood, Refused, usage } from './refused.ts'
import { Restore, type RestoreOptions } from './restore.ts'
import { listed, saved } from './save.ts'
import type { Table } from './table.ts'
import { objection } from './verify.ts'

// The words after the program's name → what each of the three programs answers.

export function runCommand(program: Program, words: readonly string[]): Outcome {
  return refusing(program, () => {
    const { rest, values, flags } = common(words, { values: ['-t', '-W'], flags: ['-V'], optional: '-w' })
    if (flags.has('-V')) return done(`${version(program)}\n`)
    const name = values.get('-t') ?? 'filter'
    if (name === 'security') throw notUnderstood('the table security')
    if (!isTableName(name)) return failed(3, noTable(program, name))
    return change(program, name, changeOf(rest, { ...program, table: name }))
  })
}

function change(program: Program, name: TableName, wanted: Change): Outcome {
  const table = program.ruleset.table(name)
  if (wanted.what === 'list') return list(program, table, wanted)
  const draft = table.draft()
  const transaction = new Transaction(draft)
  transaction.apply(wanted)
  if (transaction.errors.length > 0) return kernelRefusal(program, transaction.errors)
  const error = objection(draft)
  if (error !== undefined && program.variant === 'legacy') throw new Refused('table', error)
  if (error !== undefined && 'rule' in wanted) {
    return kernelRefusal(program, [{ operation: operationOf(wanted), error, where: ruleIn(wanted.chain) }])
  }
  program.ruleset.put(draft)
  return done()
}

function list(program: Program, table: Table, { chain, position }: Extract<Change, { what: 'list' }>): Outcome {
  if (chain === undefined || table.isBuiltin(chain) || table.has(chain)) return done(listed(table, chain, position))
  if (program.variant === 'legacy') return failed(1, `${ownName(program)}: No chain/target/match by that name.`)
  return failed(1, `${version(program)}: chain \`${chain}' in table \`${table.name}' is incompatible, use 'nft' tool.`)
}

function noTable(program: Program, name: string): string {
  return `${version(program)}: table '${name}' does not exist\nPerhaps iptables or your kernel needs to be upgraded.`
}

export function runRestore(program: Program, words: readonly string[], input: string): Outcome {
  return refusing(program, () => {
    const known = { values: ['-T', '-W'], flags: ['-n', '-c', '-t', '-V'], optional: '-w' }
    const { rest, values, flags } = common(words, known)
    if (flags.has('-V')) return done(`${version(program)}\n`)
    if (rest.length > 0) return failed(1, `${program.called}: unrecognized option '${rest[0]}'`)
    const options: RestoreOptions = {
      flush: flags.has('-n') ? 'noflush' : 'flush',
      counters: flags.has('-c') ? 'keep' : 'zero',
      commit: flags.has('-t') ? 'test' : 'commit',
      only: values.get('-T'),
    }
    return new Restore(program, options).run(input) ?? done()
  })
}

export function runSave(program: Program, words: readonly string[]): Outcome {
  return refusing(program, () => {
    const { rest, values, flags } = common(words, { values: ['-t', '-M'], flags: ['-c', '-V'] })
    if (flags.has('-V')) return done(`${version(program)}\n`)
    if (rest.length > 0) return failed(1, `${program.called}: unrecognized option '${rest[0]}'`)
    const table = values.get('-t')
    if (table === 'security') throw notUnderstood('the table security')
    if (table !== undefined && !isTableName(table)) return failed(1, `Table \`${table}' does not exist`)
    return done(saved(program, { table, counters: flags.has('-c') ? 'with' : 'without' }))
  })
}

function isTableName(name: string): name is TableName {
  return (TABLE_NAMES as readonly string[]).includes(name)
}

function refusing(program: Program, work: () => Outcome): Outcome {
  try {
    return work()
  } catch (error) {
    if (error instanceof Refused) return refusal(program, error)
    throw error
  }
}

const LONG: Readonly<Record<string, string>> = {
  ...{ '--table': '-t', '--wait': '-w', '--wait-interval': '-W', '--version': '-V', '--noflush': '-n' },
  ...{ '--counters': '-c', '--test': '-t', '--modprobe': '-M' },
}

interface KnownWords {
  /** Each followed by its value. */
  readonly values: readonly string[]
  readonly flags: readonly string[]
  /** May be followed by a number. */
  readonly optional?: string
}

interface CommonWords {
  readonly rest: readonly string[]
  readonly values: ReadonlyMap<string, string>
  readonly flags: ReadonlySet<string>
}

/** Splits the options that all commands share from the words of the command itself. */
function common(words: readonly string[], known: KnownWords): CommonWords {
  const rest: string[] = []
  const values = new Map<string, string>()
  const flags = new Set<string>()
  const left = [...words]
  while (left.length > 0) {
    const word = left.shift()!
    const flag = longFlag(word, known)
    if (known.values.includes(flag)) values.set(flag, value(word, left))
    else if (known.flags.includes(flag)) flags.add(flag)
    else if (flag === known.optional) waitSeconds(left)
    else rest.push(word)
  }
  return { rest, values, flags }
}

/** iptables-restore's `--table` is -T, and its -t is `--test`. */
function longFlag(word: string, { values }: KnownWords): string {
  return word === '--table' && values.includes('-T') ? '-T' : (LONG[word] ?? word)
}

function value(flag: string, left: string[]): string {
  const next = left.shift()
  if (next === undefined) throw usage(`option "${flag}" requires an argument`)
  return next
}

function waitSeconds(left: string[]): void {
  if (left[0] === undefined || left[0].startsWith('-')) return
  if (!/^\d+$/.test(left.shift()!)) throw usage('wait seconds not numeric')
}
