import { textOf } from '../decode/checks.ts'
import { fieldsOf, unproven } from '../decode/fields.ts'
import { type TimedRequests, timedAnswer, unexpected, type WholeAnswer } from './timed-answer.ts'

// A text in a ConfigMap, which several programs change: each write is for one version of it, and of two at once one is refused.

export interface StoredTextParts extends TimedRequests {
  readonly namespace: string
  readonly name: string
  /** In `data`. */
  readonly key: string
}

export interface VersionedText {
  /** Undefined where there is none yet. */
  readonly text: string | undefined
  /** Empty where the ConfigMap is not there. */
  readonly version: string
}

/** A server that does not know it answers with all of it. */
const METADATA = { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json' }
/** etcd takes 1.5 MiB, kube-apiserver 1 MiB in all of a ConfigMap's data. */
const MOST_BYTES = 2 ** 20

export class StoredText {
  readonly #parts: StoredTextParts
  readonly #path: string
  readonly #what: string

  constructor(parts: StoredTextParts) {
    this.#parts = parts
    this.#path = `/api/v1/namespaces/${parts.namespace}/configmaps`
    this.#what = `ConfigMap ${parts.namespace}/${parts.name}`
  }

  /**
   * Without a resourceVersion in the query: as it is now, never from a cache. Of the version that is known already, it may be
   * that the version comes without its text, which can be a mebibyte.
   */
  async read(known?: string): Promise<VersionedText> {
    if (known !== undefined && known !== '') {
      const now = await this.#read(METADATA)
      if (now.text !== undefined || now.version === known || now.version === '') return now
    }
    return this.#read({})
  }

  async #read(headers: Readonly<Record<string, string>>): Promise<VersionedText> {
    const { transport, name, key } = this.#parts
    const path = `${this.#path}/${name}`
    const answer = await timedAnswer(this.#parts, signal => transport.get({ path, headers, signal }))
    if (answer.status === 404) return { text: undefined, version: '' }
    if (answer.status !== 200) throw unexpected(answer, `a read of ${this.#what}`)
    const { data } = fieldsOf(unproven<ConfigMapText>(answer.json))
    return { text: textOf(fieldsOf(data)[key]), version: this.#versionIn(answer) }
  }

  /** Other keys and labels stay as they are. Rejects where the answer is missing: the text may be stored all the same. */
  async write(text: string, before: VersionedText): Promise<{ readonly version: string } | 'conflict'> {
    const { transport, namespace, name, key } = this.#parts
    const bytes = Buffer.byteLength(text)
    if (bytes > MOST_BYTES)
      throw new Error(`${this.#what}: ${bytes} bytes are more than the ${MOST_BYTES} that a ConfigMap can have`)
    const data = { [key]: text }
    const isNew = before.version === ''
    const metadata = isNew ? { namespace, name } : { resourceVersion: before.version }
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data })
    const answer = await timedAnswer(this.#parts, signal =>
      isNew
        ? transport.post({ path: this.#path, body, signal })
        : transport.patch({ path: `${this.#path}/${name}`, body, signal }),
    )
    if (answer.status === 200 || answer.status === 201) return { version: this.#versionIn(answer) }
    if (answer.status === 409 || (answer.status === 404 && !isNew)) return 'conflict'
    throw unexpected(answer, `a write of ${this.#what}`)
  }

  #versionIn(answer: WholeAnswer): string {
    const { metadata } = fieldsOf(unproven<ConfigMapText>(answer.json))
    const version = textOf(fieldsOf(metadata).resourceVersion)
    if (version === undefined) throw new Error(`the API server answered without a resourceVersion of ${this.#what}`)
    return version
  }
}

interface ConfigMapText {
  readonly metadata: { readonly resourceVersion: string }
  readonly data: Readonly<Record<string, string>>
}
