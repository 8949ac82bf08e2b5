import type { Pod } from '#lab/client/objects.ts'
import { standsFound } from '../pod/found.ts'
import type { Sandbox } from '../runtime/pod-runtime.ts'
import { PodWorker } from './pod-worker.ts'
import type { WorkerParts } from './worker-parts.ts'

// The pods of a node as they come, change and go → a worker for each.

export interface NodePodsParts extends WorkerParts {
  /** Sandboxes that stand from before. */
  readonly standing: readonly Sandbox[]
  /** A worker has ended, and nothing of its pod stands. */
  readonly ended: (pod: Pod) => void
}

const RETRY_MS = 1000

export class NodePods {
  readonly #parts: NodePodsParts
  /** By uid, as are those below. */
  readonly #workers = new Map<string, PodWorker>()
  readonly #standing: Map<string, Sandbox>
  /** Done with, while the API has them still. */
  readonly #done = new Set<string>()

  constructor(parts: NodePodsParts) {
    this.#parts = parts
    this.#standing = new Map(parts.standing.map(sandbox => [sandbox.uid, sandbox]))
  }

  changed(pod: Pod): void {
    const { uid = '' } = pod.metadata
    if (this.#done.has(uid)) return
    const worker = this.#workers.get(uid)
    if (worker === undefined) this.#add(pod, uid)
    else worker.update(pod)
  }

  #add(pod: Pod, uid: string): void {
    const sandbox = this.#standing.get(uid)
    this.#standing.delete(uid)
    const stands = standsFound(pod, sandbox?.ips, this.#parts.clock.now())
    const added = new PodWorker(pod, { stands, ...(sandbox !== undefined && { sandbox }) }, this.#parts)
    this.#workers.set(uid, added)
    void added.done.then(() => {
      this.#workers.delete(uid)
      this.#done.add(uid)
      this.#parts.ended(pod)
    })
  }

  gone({ metadata: { uid = '' } }: Pod): void {
    this.#done.delete(uid)
    this.#workers.get(uid)?.gone()
  }

  /** What stands of pods that the API does not have any more goes. To be called when it has shown all that it has. */
  async removeLeftovers(signal: AbortSignal): Promise<void> {
    const left = [...this.#standing.values()]
    this.#standing.clear()
    await Promise.all(left.map(sandbox => this.#removeLeftover(sandbox, signal)))
  }

  /** Of several pods that had the name one after another, the last one. */
  named(namespace: string, name: string): PodWorker | undefined {
    return [...this.#workers.values()].findLast(
      ({ pod: { metadata } }) => metadata.namespace === namespace && metadata.name === name,
    )
  }

  /** The daemon of the node may not be up as yet. */
  async #removeLeftover(sandbox: Sandbox, signal: AbortSignal): Promise<void> {
    const { inTurn, runtime, clock } = this.#parts
    while (!signal.aborted) {
      try {
        return await inTurn(() => runtime.removeSandbox(sandbox))
      } catch {
        await clock.sleep(RETRY_MS, signal)
      }
    }
  }

  /** All end at once. */
  async close(): Promise<void> {
    await Promise.all([...this.#workers.values()].map(worker => worker.close()))
  }
}
