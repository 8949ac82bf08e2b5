import { type Document, parseDocument } from 'yaml'
import { CredentialsProblem } from './problem.ts'

// The text of a kubeconfig → its entries by name, with where each one stands for messages.

export type KubeconfigFields = Readonly<Record<string, unknown>>

export interface NamedEntry {
  readonly name: string
  /** `clusters[0].cluster` */
  readonly at: string
  readonly fields: KubeconfigFields
}

export interface KubeconfigText {
  readonly file: string
  readonly currentContext: unknown
  readonly clusters: readonly NamedEntry[]
  readonly contexts: readonly NamedEntry[]
  readonly users: readonly NamedEntry[]
}

/** What its current context leads to. */
export interface Chosen {
  readonly file: string
  readonly cluster: NamedEntry
  readonly user: NamedEntry
}

export function parseKubeconfig(file: string, text: string): KubeconfigText {
  const root = yamlRoot(file, text)
  if (root === null || root === undefined) throw new CredentialsProblem(`${file} is empty: must be a kubeconfig`)
  if (!isFields(root)) {
    throw new CredentialsProblem(
      `${file} holds ${nounOf(root)}: must be a kubeconfig, with clusters, users and contexts`,
    )
  }
  if (root.kind !== undefined && root.kind !== 'Config') {
    throw new CredentialsProblem(`${file}: kind is ${shown(root.kind)}: must be "Config"`)
  }
  return {
    file,
    currentContext: root['current-context'],
    clusters: entries(file, root.clusters, 'cluster'),
    contexts: entries(file, root.contexts, 'context'),
    users: entries(file, root.users, 'user'),
  }
}

/** The field, or nothing where it is absent or empty: kubeconfigs written by programs are full of empty strings. */
export function textField(file: string, { at, fields }: NamedEntry, field: string): string | undefined {
  const value = fields[field]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value
  const is = SECRETS.has(field) ? nounOf(value) : shown(value)
  throw new CredentialsProblem(`${file}: ${at}.${field} is ${is}: must be text`)
}

/** A password of digits is a number where it has no quotes; it is a secret all the same. */
const SECRETS: ReadonlySet<string> = new Set(['token', 'password', 'client-key-data'])

/** None where the field is absent; half a list would leave out what was meant to be a limit. */
export function listField(file: string, { at, fields }: NamedEntry, field: string): readonly unknown[] {
  const value = fields[field] ?? []
  if (Array.isArray(value)) return value
  throw new CredentialsProblem(`${file}: ${at}.${field} is ${shown(value)}: must be a list`)
}

export type Texts<Field extends string> = { readonly [F in Field]?: string }

/** Those of the fields that are there. */
export function textFields<Field extends string>(
  file: string,
  entry: NamedEntry,
  fields: readonly Field[],
): Texts<Field> {
  const pairs = fields.map(field => [field, textField(file, entry, field)] as const)
  return Object.fromEntries(pairs.filter(([, text]) => text !== undefined)) as Texts<Field>
}

/** Off where it is absent. */
export function switchField(file: string, { at, fields }: NamedEntry, field: string): boolean {
  const value = fields[field] ?? false
  if (typeof value === 'boolean') return value
  throw new CredentialsProblem(`${file}: ${at}.${field} is ${shown(value)}: must be true or false`)
}

export function isFields(value: unknown): value is KubeconfigFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** For messages: a value as JSON, or what kind of thing it is. */
export function shown(value: unknown): string {
  return typeof value === 'object' && value !== null ? nounOf(value) : JSON.stringify(value)
}

function yamlRoot(file: string, text: string): unknown {
  const document = parsed(file, text)
  const [error] = document.errors
  if (error === undefined) return plain(file, document)
  const [start] = error.linePos ?? []
  const where = start === undefined ? '' : ` at line ${start.line}, column ${start.col}`
  const why = error.message.split('\n', 1)[0]!.replace(/ at line \d+, column \d+:?$/, '')
  throw new CredentialsProblem(`${file} is not YAML${where}: ${why}`)
}

/** Brackets in brackets, by the thousand, are more than the reader can follow. */
function parsed(file: string, text: string): Document {
  try {
    return parseDocument(text, { prettyErrors: true, logLevel: 'error' })
  } catch (error) {
    throw new CredentialsProblem(`${file} is not usable YAML: ${(error as Error).message}`)
  }
}

/** A document of aliases to aliases would fill the memory; the reader refuses that only here. */
function plain(file: string, document: Document): unknown {
  try {
    return document.toJS()
  } catch (error) {
    throw new CredentialsProblem(`${file} is not usable YAML: ${(error as Error).message}`)
  }
}

function entries(file: string, list: unknown, field: 'cluster' | 'context' | 'user'): readonly NamedEntry[] {
  if (list === undefined || list === null) return []
  if (!Array.isArray(list)) throw new CredentialsProblem(`${file}: ${field}s is ${shown(list)}: must be a list`)
  return list.map((entry: unknown, i) => {
    const at = `${field}s[${i}]`
    if (!isFields(entry) || typeof entry.name !== 'string') {
      throw new CredentialsProblem(`${file}: ${at} has no name: must be "name: …" beside "${field}: …"`)
    }
    const fields = entry[field] ?? {}
    if (!isFields(fields))
      throw new CredentialsProblem(`${file}: ${at}.${field} is ${shown(fields)}: must be a mapping`)
    return { name: entry.name, at: `${at}.${field}`, fields }
  })
}

/** Without the value: a file with nothing but a text may be the file of a token. */
function nounOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a mapping' : typeof value === 'string' ? 'a text' : `a ${typeof value}`
}
