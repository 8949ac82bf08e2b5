import type { Answer, Recording } from './recording.ts'

// The answers of one server → the same with what differs from run to run marked as such: a uid becomes `<uid …>`. What a
// request named is no chance and stays as it is.

/** Of the range that the recorded server was started with; the lab's is wider. */
const CLUSTER_IP = /\b10\.(?:9[6-9]|1[01]\d)\.\d+\.\d+\b(?!\/)/g
const NODE_PORTS = { from: 30_000, to: 32_767 }

const UID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z/g
/** In the words of messages: `too old resource version: 1 (231)`. */
const REVISION = /(resource ?version: |in object meta: |in (?:precondition|record)[: (]+)\d+(?![\w-])( \(\d+\))?/gi
/** Cells of a Table that say how long ago something was. */
const AGES = ['Age', 'Last Seen', 'First Seen']

type Json = unknown
type Fields = Readonly<Record<string, Json>>

export function normalised(recording: Recording, answers: readonly Answer[]): readonly Answer[] {
  const asked = recording.exchanges.map(({ request, body }) => `${request}" ${JSON.stringify(body ?? '')}`).join('\n')
  const marks = new Marks(asked)
  return answers.map(({ status, headers, body }) => ({
    status,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, marks.text(value)])),
    body: marks.value(body, ''),
  }))
}

class Marks {
  readonly #asked: string

  constructor(asked: string) {
    this.#asked = asked
  }

  value(value: Json, key: string): Json {
    if (typeof value === 'string') return this.#string(value, key)
    if (typeof value === 'number') return this.#number(value, key)
    if (Array.isArray(value)) return value.map(item => this.value(item, key))
    if (typeof value !== 'object' || value === null) return value
    const fields = withoutAges(value as Fields)
    const isList = 'items' in fields || 'rows' in fields
    return Object.fromEntries(
      Object.entries(fields).map(([key, item]) => {
        if (key === 'metadata' && isList) return [key, this.#listMetadata(item as Fields)]
        if (key === 'name' && typeof fields.generateName === 'string') return [key, `${fields.generateName}<suffix>`]
        return [key, this.value(item, key)]
      }),
    )
  }

  text(text: string): string {
    return text
      .replace(UID, uid => this.#unlessAsked('uid', uid))
      .replace(TIME, (time, micro?: string) =>
        this.#asked.includes(time) ? time : micro ? '<time with microseconds>' : '<time>',
      )
      .replace(REVISION, '$1<revision>')
      .replace(CLUSTER_IP, ip => this.#unlessAsked('cluster IP', ip))
  }

  #string(value: string, key: string): string {
    return key === 'resourceVersion' && value !== '' ? `<revision ${value}>` : this.text(value)
  }

  #number(value: number, key: string): Json {
    const isPort = key === 'nodePort' || key === 'healthCheckNodePort'
    const isAllocated = isPort && value >= NODE_PORTS.from && value <= NODE_PORTS.to
    return isAllocated ? this.#unlessAsked('node port', String(value)) : value
  }

  /** Of a list: some version of the whole store, which other writers move, too. */
  #listMetadata(metadata: Fields): Fields {
    const { resourceVersion, continue: next, ...rest } = metadata
    return {
      ...(this.value(rest, 'metadata') as Fields),
      ...(resourceVersion !== undefined && { resourceVersion: '<revision>' }),
      ...(next !== undefined && { continue: next === '' ? '' : '<continue>' }),
    }
  }

  #unlessAsked(kind: string, value: string): string {
    const isAsked = [' ', '"', '/', '='].some(before =>
      ['"', '/', ' ', ',', '}'].some(after => this.#asked.includes(before + value + after)),
    )
    return isAsked ? value : `<${kind} ${value}>`
  }
}

function withoutAges(fields: Fields): Fields {
  const { columnDefinitions, rows } = fields
  if (!Array.isArray(columnDefinitions) || !Array.isArray(rows)) return fields
  const isAge = (columnDefinitions as Fields[]).map(({ name }) => AGES.includes(String(name)))
  const age = (cell: Json, index: number) => (isAge[index] && /^(\d+[smhdy])+$/.test(String(cell)) ? '<age>' : cell)
  return { ...fields, rows: (rows as Fields[]).map(row => ({ ...row, cells: (row.cells as Json[]).map(age) })) }
}
