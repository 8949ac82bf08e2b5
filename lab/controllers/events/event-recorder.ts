import type { ClusterClient } from '#lab/client/cluster-client.ts'
import type { ApiObject } from '#lab/client/objects.ts'
import type { Clock } from '#system/ports.ts'
import type { Note } from '../loop/controller.ts'

// What controllers note → Events as kubectl shows them. The same again is counted in the Event that is there.

/** A core/v1 Event, as far as it is written here. */
export interface RecordedEvent extends ApiObject {
  readonly involvedObject: object
  readonly reason: string
  readonly message: string
  readonly type: string
  readonly count: number
  readonly firstTimestamp: string
  readonly lastTimestamp: string
  readonly source: { readonly component: string; readonly host?: string }
}

export interface EventRecorderParts {
  readonly client: Pick<ClusterClient, 'create' | 'patch'>
  readonly clock: Clock
}

/** Beyond these an Event is dropped: the newest ones are those that are read. */
const QUEUED = 1_000
/** The same later than this is an Event of its own. */
const REPEAT_MS = 600_000
/** So many at once: Events may not keep the API server from the rest. */
const AT_ONCE = 4

interface Known {
  readonly name: string
  count: number
  at: number
  /** Writes of one Event come one after another. */
  writing: Promise<unknown>
}

export class EventRecorder {
  readonly #parts: EventRecorderParts
  readonly #queue: { readonly source: string; readonly note: Note; readonly at: number }[] = []
  readonly #known = new Map<string, Known>()
  readonly #sending = new Set<Promise<void>>()
  /** Of those, how many look once more whether anything is queued. */
  #lanes = 0
  #closed = false
  #serial = 0

  constructor(parts: EventRecorderParts) {
    this.#parts = parts
  }

  /** Returns at once. An Event that the API server does not take is lost. */
  record(source: string, note: Note): void {
    if (this.#closed || this.#queue.length >= QUEUED) return
    this.#queue.push({ source, note, at: this.#parts.clock.now() })
    if (this.#lanes >= AT_ONCE) return
    this.#lanes += 1
    const sending: Promise<void> = this.#send().finally(() => this.#sending.delete(sending))
    this.#sending.add(sending)
  }

  /** What is queued is dropped. */
  async close(): Promise<void> {
    this.#closed = true
    this.#queue.length = 0
    await Promise.all(this.#sending)
  }

  async #send(): Promise<void> {
    // Ten notes of one turn are queued before the first is sent.
    await Promise.resolve()
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      await this.#write(next.source, next.note, next.at).catch(() => {})
    }
    this.#lanes -= 1
  }

  async #write(source: string, note: Note, at: number): Promise<void> {
    const { about, reason, message, type } = note
    const key = [source, about.metadata.uid, type, reason, message].join('\n')
    const known = this.#known.get(key)
    if (known !== undefined && at - known.at < REPEAT_MS) {
      known.count += 1
      known.at = at
      const namespace = namespaceOf(about)
      const patch = { count: known.count, lastTimestamp: timeText(at) }
      const update = () => this.#parts.client.patch('Event', { namespace, name: known.name }, patch)
      known.writing = known.writing.catch(() => {}).then(update)
      return void (await known.writing)
    }
    const name = `${about.metadata.name}.${(at * 1_000 + (this.#serial++ % 1_000)).toString(16)}`
    const writing = this.#parts.client.create(eventOf({ source, name, at }, note)).catch(error => {
      this.#known.delete(key)
      throw error
    })
    this.#known.set(key, { name, count: 1, at, writing })
    this.#forgetOld(at)
    await writing
  }

  #forgetOld(now: number): void {
    for (const [key, { at }] of this.#known) {
      if (now - at < REPEAT_MS) return
      this.#known.delete(key)
    }
  }
}

export function eventOf(
  {
    source,
    name,
    at,
    host,
  }: { readonly source: string; readonly name: string; readonly at: number; readonly host?: string },
  { about, type, reason, message }: Note,
): RecordedEvent {
  const { kind = '', apiVersion = 'v1', metadata } = about
  const { uid = '', resourceVersion = '', namespace } = metadata
  const time = timeText(at)
  const involved = { kind, apiVersion, name: metadata.name ?? '', uid, resourceVersion }
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace: namespaceOf(about), name },
    involvedObject: { ...involved, ...(namespace !== undefined && { namespace }) },
    ...{ type, reason, message, count: 1, firstTimestamp: time, lastTimestamp: time },
    source: { component: source, ...(host !== undefined && { host }) },
  }
}

/** Of what stands in no namespace, Events are in `default`. */
function namespaceOf({ metadata }: ApiObject): string {
  return metadata.namespace ?? 'default'
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
