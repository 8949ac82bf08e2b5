import { textOf } from '../decode/checks.ts'
import { fieldsOf, unproven } from '../decode/fields.ts'
import { type TimedRequests, timedAnswer, unexpected, type WholeAnswer } from './timed-answer.ts'

// A Lease of coordination.k8s.io: who leads, and since when. Each write is for one version of it, and of two at once one is
// refused.

export interface LeaseObjectParts extends TimedRequests {
  readonly namespace: string
  readonly name: string
}

export interface LeaseTerm {
  /** Empty where it was given back. */
  readonly holder: string
  readonly seconds: number
  /** Milliseconds since 1970, by the holder's clock. */
  readonly acquired: number
  readonly renewed: number
  /** How often the holder has changed. */
  readonly transitions: number
}

export interface StoredLease {
  /** Undefined where the Lease is not there. */
  readonly term: LeaseTerm | undefined
  /** Empty where it is not there. */
  readonly version: string
}

export class LeaseObject {
  readonly #parts: LeaseObjectParts
  readonly #path: string
  readonly #what: string

  constructor(parts: LeaseObjectParts) {
    this.#parts = parts
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${parts.namespace}/leases`
    this.#what = `Lease ${parts.namespace}/${parts.name}`
  }

  async read(): Promise<StoredLease> {
    const { transport, name } = this.#parts
    const answer = await timedAnswer(this.#parts, signal => transport.get({ path: `${this.#path}/${name}`, signal }))
    if (answer.status === 404) return { term: undefined, version: '' }
    if (answer.status !== 200) throw unexpected(answer, `a read of ${this.#what}`)
    return this.#storedIn(answer)
  }

  /** Rejects where the answer is missing: it may be stored all the same. */
  async write(term: LeaseTerm, before: StoredLease): Promise<StoredLease | 'conflict'> {
    const { transport, namespace, name } = this.#parts
    const isNew = before.version === ''
    const metadata = isNew ? { namespace, name } : { resourceVersion: before.version }
    const body = JSON.stringify({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: specOf(term) })
    const answer = await timedAnswer(this.#parts, signal =>
      isNew
        ? transport.post({ path: this.#path, body, signal })
        : transport.patch({ path: `${this.#path}/${name}`, body, signal }),
    )
    if (answer.status === 200 || answer.status === 201) return this.#storedIn(answer)
    if (answer.status === 409 || (answer.status === 404 && !isNew)) return 'conflict'
    throw unexpected(answer, `a write of ${this.#what}`)
  }

  #storedIn(answer: WholeAnswer): StoredLease {
    const { metadata, spec } = fieldsOf(unproven<LeaseText>(answer.json))
    const version = textOf(fieldsOf(metadata).resourceVersion)
    if (version === undefined) throw new Error(`the API server answered without a resourceVersion of ${this.#what}`)
    return { term: termOf(fieldsOf(spec)), version }
  }
}

/** What is missing or odd counts as given back: the next one to ask takes it. */
function termOf(spec: Partial<Record<keyof LeaseText['spec'], unknown>>): LeaseTerm {
  return {
    holder: textOf(spec.holderIdentity) ?? '',
    seconds: countOf(spec.leaseDurationSeconds),
    acquired: timeOf(spec.acquireTime),
    renewed: timeOf(spec.renewTime),
    transitions: countOf(spec.leaseTransitions),
  }
}

function specOf({ holder, seconds, acquired, renewed, transitions }: LeaseTerm): LeaseText['spec'] {
  return {
    holderIdentity: holder,
    leaseDurationSeconds: seconds,
    acquireTime: microTime(acquired),
    renewTime: microTime(renewed),
    leaseTransitions: transitions,
  }
}

function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : 0
}

function timeOf(value: unknown): number {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(ms) ? 0 : ms
}

interface LeaseText {
  readonly metadata: { readonly resourceVersion: string }
  readonly spec: {
    readonly holderIdentity: string
    readonly leaseDurationSeconds: number
    readonly acquireTime: string
    readonly renewTime: string
    readonly leaseTransitions: number
  }
}
