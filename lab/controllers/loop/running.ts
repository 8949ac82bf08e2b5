import { type ClusterClient, type Followed, keyOf } from '#lab/client/cluster-client.ts'
import type { ApiObject } from '#lab/client/objects.ts'
import { isConflict } from '#lab/client/refused.ts'
import type { Clock } from '#system/ports.ts'
import type { Controller, Interest, Look, Note } from './controller.ts'
import { Outstanding } from './outstanding.ts'
import { WorkQueue } from './work-queue.ts'
import { written } from './writer.ts'

// The loop that every controller runs in: changes → keys → decisions → writes, again and again until all stands as decided.

export interface LoopParts {
  readonly client: ClusterClient
  readonly clock: Clock
  readonly record: (source: string, note: Note) => void
  /** One line about a key that failed and is tried again. */
  readonly onTrouble: (line: string) => void
}

export interface Running {
  close(): Promise<void>
}

/** A write that no watch shows for so long was undone meanwhile, or the watch is broken: deciding again is safe. */
const UNSEEN_MS = 5_000
const WORKERS = 8

export function runController(controller: Controller, parts: LoopParts): Running {
  return new ControllerLoop(controller, parts)
}

class ControllerLoop implements Running {
  readonly #controller: Controller
  readonly #parts: LoopParts
  readonly #queue: WorkQueue
  readonly #outstanding: Outstanding
  readonly #followed = new Map<string, Followed<ApiObject>>()
  /** Keys that wait for what they wrote, and how each of these waits is ended. */
  readonly #held = new Map<string, AbortController>()
  /** Changes are only gathered until everything that was there is known. */
  #isReady = false
  readonly #early = new Set<string>()

  constructor(controller: Controller, parts: LoopParts) {
    this.#controller = controller
    this.#parts = parts
    this.#outstanding = new Outstanding((kind, key) => this.#followed.get(kind)?.items().get(key))
    this.#queue = new WorkQueue({
      clock: parts.clock,
      workers: controller.workers ?? WORKERS,
      work: key => this.#work(key),
      failed: (key, error, retryMs) => this.#failed(key, error, retryMs),
    })
    for (const interest of controller.follows) this.#follow(interest)
    const synced = [...this.#followed.values()].map(followed => followed.synced)
    void Promise.all(synced).then(
      () => this.#begin(),
      () => {},
    )
  }

  async close(): Promise<void> {
    for (const followed of this.#followed.values()) followed.close()
    await this.#queue.close()
    // Only now: what was under way may have begun to wait for what it wrote.
    for (const wait of this.#held.values()) wait.abort()
  }

  #follow(interest: Interest): void {
    const { kind, selection = {} } = interest
    const followed = this.#parts.client.follow<ApiObject>(kind, selection, {
      changed: (object, before) => this.#changed(interest, object, before),
      gone: object => {
        this.#outstanding.gone(kind, keyOf(object), object.metadata.resourceVersion)
        this.#changed(interest, object)
      },
    })
    this.#followed.set(kind, followed)
  }

  #changed({ kind, keys }: Interest, object: ApiObject, before?: ApiObject): void {
    for (const key of this.#outstanding.seen(kind)) this.#release(key)
    for (const key of keys?.(object, this.#look(), before) ?? []) {
      if (this.#isReady) this.#queue.add(key)
      else this.#early.add(key)
    }
  }

  #begin(): void {
    this.#isReady = true
    for (const key of this.#early) this.#queue.add(key)
    this.#early.clear()
  }

  async #work(key: string): Promise<void> {
    const { name, decide } = this.#controller
    const { writes, againMs } = await decide(key, this.#look())
    if (againMs !== undefined) this.#queue.addAfter(key, againMs)
    if (writes.length === 0) return
    const record = (note: Note) => this.#parts.record(name, note)
    const { expectations, error } = await written({ client: this.#parts.client, record }, writes)
    const followed = expectations.filter(({ kind }) => this.#followed.has(kind))
    if (this.#outstanding.expect(key, followed)) this.#hold(key)
    if (error !== undefined) throw error
  }

  #hold(key: string): void {
    const wait = new AbortController()
    this.#held.set(key, wait)
    this.#queue.hold(key)
    void this.#parts.clock.sleep(UNSEEN_MS, wait.signal).then(() => {
      if (wait.signal.aborted) return
      this.#outstanding.forget(key)
      this.#release(key)
      this.#queue.add(key)
    })
  }

  #release(key: string): void {
    this.#held.get(key)?.abort()
    this.#held.delete(key)
    this.#queue.release(key)
  }

  /** A conflict is nothing to report: what it conflicted with comes by the watch. */
  #failed(key: string, error: unknown, retryMs: number): void {
    if (isConflict(error)) return
    const why = error instanceof Error ? error.message : String(error)
    this.#parts.onTrouble(`${this.#controller.name} could not settle ${key}, again in ${retryMs} ms: ${why}`)
  }

  #look(): Look {
    return {
      now: this.#parts.clock.now(),
      all: <T extends ApiObject>(kind: string) => (this.#items(kind) as ReadonlyMap<string, T>).values(),
      one: <T extends ApiObject>(kind: string, key: string) => this.#items(kind).get(key) as T | undefined,
    }
  }

  #items(kind: string): ReadonlyMap<string, ApiObject> {
    const followed = this.#followed.get(kind)
    if (followed === undefined) throw new Error(`${this.#controller.name} does not follow ${kind}`)
    return followed.items()
  }
}
