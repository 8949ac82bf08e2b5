import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
} from 'yaml'
import { type Position, showPosition } from './choices.ts'
import { KINDS, type Value } from './table/kinds.ts'
import { nearest } from './table/nearest.ts'
import { FIELDS, type FieldSetting } from './table/table.ts'

// The text of a KubeProxyConfiguration, YAML or JSON → the fields it gives, each with its line and column.

export const API_VERSION = 'kubeproxy.config.k8s.io/v1alpha1'
export const KIND = 'KubeProxyConfiguration'

export interface GivenFields {
  /** By path. A field that is null is not given. */
  readonly fields: ReadonlyMap<string, { readonly value: Value; readonly position: Position }>
  /** Unknown and repeated fields: the rest counts all the same. */
  readonly warnings: readonly string[]
  readonly problems: readonly string[]
}

const BY_PATH: ReadonlyMap<string, FieldSetting> = new Map(FIELDS.map(setting => [setting.field, setting]))
const SECTIONS: ReadonlySet<string> = new Set([...BY_PATH.keys()].flatMap(parents))
const HEADER: Readonly<Record<string, string>> = { apiVersion: API_VERSION, kind: KIND }

export function readConfiguration(text: string): GivenFields {
  return new ConfigurationReader(text).read()
}

class ConfigurationReader {
  readonly #lines = new LineCounter()
  readonly #documents: readonly Document[]
  readonly #fields = new Map<string, { value: Value; position: Position }>()
  readonly #header = new Map<string, unknown>()
  readonly #warnings: string[] = []
  readonly #problems: string[] = []

  constructor(text: string) {
    const parsed = parseAllDocuments(text, { lineCounter: this.#lines, uniqueKeys: false, prettyErrors: false })
    this.#documents = Array.isArray(parsed) ? parsed : []
  }

  read(): GivenFields {
    const [document, second] = this.#documents
    for (const { message, pos } of document?.errors ?? []) {
      this.#problems.push(`not YAML${showPosition(this.#at(pos[0]))}: ${message}`)
    }
    try {
      if (this.#problems.length === 0) this.#document(document)
    } catch (error) {
      // An anchor that is nowhere set, or aliases that multiply without end.
      if (!(error instanceof ReferenceError)) throw error
      this.#problems.push(`not usable YAML: ${error.message}`)
    }
    if (second !== undefined) this.#warnings.push('the file holds several documents; only the first one counts')
    return { fields: this.#fields, warnings: this.#warnings, problems: this.#problems }
  }

  #document(document: Document | undefined): void {
    const contents = document?.contents ?? null
    if (contents !== null && !isMap(contents)) {
      this.#problems.push(
        `the file holds ${this.#shown(contents)}; a map is wanted, beginning with "apiVersion: ${API_VERSION}"`,
      )
      return
    }
    if (isMap(contents)) this.#section(contents, '')
    for (const [name, wanted] of Object.entries(HEADER)) {
      const found = this.#header.get(name) ?? undefined
      if (found === wanted) continue
      const wrong = found === undefined ? 'is missing' : `${JSON.stringify(found)} is not known`
      this.#problems.push(`${name}: ${wrong}; ${JSON.stringify(wanted)} is wanted`)
    }
  }

  #section(map: YAMLMap, prefix: string): void {
    const seen = new Map<string, Position>()
    for (const pair of map.items) {
      const name = String(isScalar(pair.key) ? pair.key.value : pair.key)
      const path = prefix + name
      const position = this.#at(startOf(pair.key))
      const earlier = seen.get(name)
      if (earlier !== undefined) this.#forget(path, `line ${earlier.line} and in line ${position.line}`)
      seen.set(name, position)
      this.#field(path, pair, position)
    }
  }

  #field(path: string, pair: Pair, position: Position): void {
    const node = isAlias(pair.value) ? (pair.value.resolve(this.#documents[0]!) ?? pair.value) : pair.value
    const setting = BY_PATH.get(path)
    if (Object.hasOwn(HEADER, path)) this.#header.set(path, this.#plain(node))
    else if (setting !== undefined) this.#leaf(setting, node, position)
    else if (path.endsWith('<<')) this.#wrong(path, node, 'understood: merge keys are not, so write the settings out')
    else if (!SECTIONS.has(path)) this.#warnings.push(unknownField(path, position))
    else if (isMap(node)) this.#section(node, `${path}.`)
    else if (this.#plain(node) !== null) this.#wrong(path, node, 'a map of settings')
  }

  #forget(path: string, lines: string): void {
    this.#warnings.push(`${path} is given twice, in ${lines}; the later one counts`)
    for (const field of [...this.#fields.keys()]) {
      if (field === path || field.startsWith(`${path}.`)) this.#fields.delete(field)
    }
  }

  #leaf(setting: FieldSetting, node: unknown, position: Position): void {
    const given = this.#plain(node)
    if (given === null) return
    const kind = KINDS[setting.kind]
    const value = kind.fromFile(given)
    if (value === undefined) this.#wrong(setting.field, node, kind.wanted)
    else this.#fields.set(setting.field, { value, position })
  }

  #wrong(path: string, node: unknown, wanted: string): void {
    this.#problems.push(`${path}${showPosition(this.#at(startOf(node)))}: ${this.#shown(node)} is not ${wanted}`)
  }

  /** The value without positions; what is missing or empty is null. */
  #plain(node: unknown): unknown {
    return isNode(node) ? (node.toJS(this.#documents[0]!) ?? null) : null
  }

  #shown(node: unknown): string {
    const text = JSON.stringify(this.#plain(node))
    return text.length > 80 ? `${text.slice(0, 77)}...` : text
  }

  #at(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset)
    return { line, column: col }
  }
}

function unknownField(path: string, position: Position): string {
  const at = path.lastIndexOf('.') + 1
  const siblings = [...BY_PATH.keys(), ...SECTIONS].filter(known => known.startsWith(path.slice(0, at)))
  const meant = nearest(path, siblings)
  const guess = meant === undefined ? '' : `; did you mean ${meant}?`
  return `unknown field ${path}, line ${position.line}, column ${position.column}, is ignored${guess}`
}

function parents(path: string): readonly string[] {
  const names = path.split('.')
  return names.slice(1).map((_, i) => names.slice(0, i + 1).join('.'))
}

function startOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0
}
