import { randomUUID } from 'node:crypto'
import type { ClusterClient } from '#lab/client/cluster-client.ts'
import type { ApiObject, Pod } from '#lab/client/objects.ts'
import type { Clock } from '#system/ports.ts'
import { timeText } from '../pod/time-text.ts'
import type { PodEvent } from '../worker/worker-parts.ts'

// What happens to pods → Events, as `kubectl describe pod` lists them. What happens again is counted.

interface Known {
  readonly name: string
  count: number
  /** Writes of one Event come one after another. */
  writing: Promise<unknown>
}

export interface PodEventsParts {
  readonly client: ClusterClient
  readonly clock: Clock
  readonly nodeName: string
  readonly warn: (line: string) => void
}

/** Of Events that are counted on; older ones begin anew. */
const KNOWN_EVENTS = 1000

export class PodEvents {
  readonly #parts: PodEventsParts
  readonly #known = new Map<string, Known>()

  constructor(parts: PodEventsParts) {
    this.#parts = parts
  }

  send(pod: Pod, event: PodEvent): void {
    const { uid = '', namespace = 'default', name = '' } = pod.metadata
    const key = [uid, event.container, event.reason, event.message].join('\n')
    const before = this.#known.get(key)
    const { client, clock, warn } = this.#parts
    const failed = (error: Error): void => warn(`event of pod ${namespace}/${name} not written: ${error.message}`)
    const at = timeText(clock.now())
    if (before === undefined) {
      const known: Known = { name: `${name}.${randomUUID().slice(0, 8)}`, count: 1, writing: Promise.resolve() }
      this.#remember(key, known)
      known.writing = client.create(this.#object(pod, event, { name: known.name, at })).catch((error: Error) => {
        // There is nothing to count on: the next one is made anew.
        this.#known.delete(key)
        failed(error)
      })
      return
    }
    const count = ++before.count
    const update = () => client.patch('Event', { namespace, name: before.name }, { count, lastTimestamp: at })
    before.writing = before.writing.then(update).catch(failed)
  }

  #remember(key: string, known: Known): void {
    this.#known.set(key, known)
    if (this.#known.size > KNOWN_EVENTS) this.#known.delete(this.#known.keys().next().value!)
  }

  #object({ metadata }: Pod, event: PodEvent, { name, at }: { readonly name: string; readonly at: string }): ApiObject {
    const { namespace = 'default', uid } = metadata
    const { nodeName } = this.#parts
    const fieldPath = event.container && { fieldPath: `spec.containers{${event.container}}` }
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace, name },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name: metadata.name, uid, ...fieldPath },
      ...{ type: event.type ?? 'Normal', reason: event.reason, message: event.message },
      ...{ count: 1, firstTimestamp: at, lastTimestamp: at },
      source: { component: 'kubelet', host: nodeName },
      ...{ reportingComponent: 'kubelet', reportingInstance: nodeName },
    } as ApiObject
  }
}
