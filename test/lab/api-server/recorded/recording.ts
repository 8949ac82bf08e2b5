import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'

// fixtures/api-server/*.yaml: what a real kube-apiserver was asked, and what it answered.

export interface Recording {
  /** The name of its file. */
  readonly name: string
  readonly about: string
  readonly exchanges: readonly Exchange[]
}

export interface Exchange {
  /** Method and path: `GET /api/v1/pods?limit=1`. `{made:metadata.uid}` stands for what the exchange `made` answered. */
  readonly request: string
  /** A name by which later requests speak of this answer. */
  readonly as?: string
  readonly headers?: Readonly<Record<string, string>>
  /** A text is sent as it is, everything else as JSON. */
  readonly body?: unknown
  /** A watch is read for so many events and then left. */
  readonly events?: number
  /** Of a long document, these parts alone are kept: keys, joined by `|`. */
  readonly parts?: readonly string[]
  readonly answer: Answer
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON decoded, everything else as text; the events of a watch as a list; parts by their names. */
  readonly body?: unknown
}

export const RECORDINGS = new URL('../../../../fixtures/api-server/', import.meta.url)

export function recordings(): readonly Recording[] {
  const files = readdirSync(RECORDINGS).filter(file => file.endsWith('.yaml'))
  return files.sort().map(file => {
    const { about, exchanges } = parse(readFileSync(new URL(file, RECORDINGS), 'utf8')) as Omit<Recording, 'name'>
    return { name: file.slice(0, -'.yaml'.length), about, exchanges }
  })
}
