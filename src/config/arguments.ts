import type { Choices } from './choices.ts'
import { withFile, withoutFile } from './defaults.ts'
import { type GivenFlags, readFlags } from './flags.ts'
import { type GivenFields, readConfiguration } from './kube-proxy-configuration.ts'
import { resolveSettings } from './resolved.ts'
import type { Settings } from './settings.ts'
import { type Configuration, effectiveConfiguration } from './shown/effective.ts'
import { KINDS } from './table/kinds.ts'
import { keyOf } from './table/setting.ts'
import { flagsOf } from './table/table.ts'
import { validate } from './validate.ts'
import { isVerb, VERBS, type Verb } from './verbs.ts'
import { warnings } from './warnings.ts'

// A verb and its words → settings to run with, or everything that is wrong.

/** `run` goes on with the verb itself; the others take its place. */
export type Action = 'run' | 'help' | 'version' | 'write-config' | 'cleanup' | 'init-only'

export type Parsed =
  | {
      readonly ok: true
      readonly settings: Settings
      /** The settings as a file would give them: for --write-config-to and /configz. */
      readonly configuration: Configuration
      readonly warnings: readonly string[]
      readonly action: Action
      /** explain: FROM and TO:PORT; help: the verb. */
      readonly operands: readonly string[]
      /** Every flag and its value, by name: kube-proxy logs them at V(1) as `FLAG: --name="value"`. */
      readonly flags: ReadonlyMap<string, string>
    }
  | {
      readonly ok: false
      readonly problems: readonly string[]
      /** The command line itself was mistyped: show how it is used. */
      readonly usage: boolean
    }

/** Reads a file; rejects with an error that has a `code`, such as ENOENT. */
export type ReadFile = (path: string) => Promise<string>

/** `argv` without the verb. */
export async function parseArguments(verb: Verb, argv: readonly string[], readFile: ReadFile): Promise<Parsed> {
  const flags = readFlags(verb, argv)
  const mistyped = [...flags.problems, ...operandProblems(verb, flags)]
  if (mistyped.length > 0) return { ok: false, problems: mistyped, usage: true }
  const asked = askedFirst(flags)
  if (asked !== undefined) return accepted({ verb, flags: onlyQuestions(flags), action: asked })
  const path = flags.values.get('--config')
  if (typeof path !== 'string' || path === '') return accepted({ verb, flags, action: actionOf(verb, flags) })
  const text = await readFile(path).catch((error: unknown) => unreadable(path, error))
  if (typeof text !== 'string') return { ok: false, problems: text, usage: false }
  return accepted({ verb, flags, file: readConfiguration(text), action: actionOf(verb, flags) })
}

interface Given {
  readonly verb: Verb
  readonly flags: GivenFlags
  readonly file?: GivenFields
  readonly action: Action
}

function accepted({ verb, flags, file, action }: Given): Parsed {
  const cli = withoutFile(flags.values)
  const choices = file === undefined ? cli : withFile(flags.values, file.fields)
  const inFile = (line: string) => `${choices.text('--config')}: ${line}`
  const problems = [...(file?.problems.map(inFile) ?? []), ...validate(choices)]
  if (problems.length > 0) return { ok: false, problems, usage: false }
  return {
    ok: true,
    settings: resolveSettings(choices),
    configuration: effectiveConfiguration(choices),
    warnings: [...(file?.warnings.map(inFile) ?? []), ...warnings(verb, flags.values, choices)],
    action,
    operands: flags.operands,
    flags: flagValues(verb, flags, cli),
  }
}

function operandProblems(verb: Verb, { operands, values }: GivenFlags): readonly string[] {
  const wanted = VERBS[verb].operands
  const least = wanted.filter(operand => !operand.startsWith('[')).length
  if (operands.length >= least && operands.length <= wanted.length) return []
  if (operands.length === 0 && values.get('--help') === true) return []
  const got = operands.length === 0 ? 'none' : `[${operands.map(operand => JSON.stringify(operand)).join(' ')}]`
  const command = verb === 'run' ? 'switchyard' : `switchyard ${verb}`
  if (wanted.length === 0) return [`"${command}" does not take any arguments, got ${got}${operandHint(operands)}`]
  return [`"${command}" takes ${wanted.join(' and ')}, got ${got}`]
}

function operandHint(operands: readonly string[]): string {
  if (operands.some(operand => /^(true|false)$/i.test(operand)))
    return '; a switch takes its value with "=": --name=true'
  const verb = operands.find(isVerb)
  return verb === undefined ? '' : `; a verb stands before all flags: switchyard ${verb} ...`
}

/** Help and version answer before anything else is looked at. */
function askedFirst({ values }: GivenFlags): Action | undefined {
  if (values.get('--help') === true) return 'help'
  const version = values.get('--version')
  return version === 'true' || version === 'raw' ? 'version' : undefined
}

function onlyQuestions(flags: GivenFlags): GivenFlags {
  return { ...flags, values: new Map([...flags.values].filter(([key]) => key === '--help' || key === '--version')) }
}

function actionOf(verb: Verb, { values }: GivenFlags): Action {
  if (values.get('--write-config-to')) return 'write-config'
  if (verb === 'version') return 'version'
  if (verb === 'cleanup' || values.get('--cleanup') === true) return 'cleanup'
  return verb === 'setup' || values.get('--init-only') === true ? 'init-only' : 'run'
}

function unreadable(path: string, error: unknown): readonly string[] {
  const code = String((error as { readonly code?: unknown } | null)?.code ?? '')
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error))
  return [`--config: cannot read ${JSON.stringify(path)}: ${reason}${code === '' ? '' : ` (${code})`}`]
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory; the file in it is wanted',
  ENOTDIR: 'a part of the path is not a directory',
}

function flagValues(verb: Verb, { values }: GivenFlags, choices: Choices): ReadonlyMap<string, string> {
  const shown = flagsOf(verb).filter(setting => !setting.legacy || values.has(keyOf(setting)))
  const pairs = shown.map(setting => {
    const { value } = choices.of(keyOf(setting))
    return [setting.flag, KINDS[setting.kind].toText(value)] as const
  })
  return new Map(pairs.sort(([a], [b]) => (a < b ? -1 : 1)))
}
