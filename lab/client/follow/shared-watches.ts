import type { ApiTransport } from '#kubernetes/transport.ts'
import { LIMITS, type WatchLimits } from '#kubernetes/watch/limits.ts'
import type { Clock } from '#system/ports.ts'
import type { Followed, Follower, Selection } from '../cluster-client.ts'
import type { Kind } from '../kinds.ts'
import type { ApiObject } from '../objects.ts'
import { type ListPages, queried } from './list-pages.ts'
import { Watched } from './watched.ts'

// Followers of the same kind and selection → one watch for all of them, while there is any.

export interface SharedWatchesParts {
  readonly transport: Pick<ApiTransport, 'get'>
  readonly pages: ListPages
  readonly clock: Clock
  readonly random: () => number
  readonly limits?: Partial<WatchLimits>
  readonly onTrouble?: (line: string) => void
}

/** An API server of the lab is near: it is asked again sooner than one that five thousand nodes ask. */
const NEAR: Partial<WatchLimits> = { backoffMs: 100, backoffMaxMs: 5_000 }

export class SharedWatches {
  readonly #parts: SharedWatchesParts
  readonly #running = new Map<string, { readonly watched: Watched; readonly ended: Promise<void>; followers: number }>()
  readonly #stop = new AbortController()

  constructor(parts: SharedWatchesParts) {
    this.#parts = parts
  }

  follow<T extends ApiObject>(kind: Kind, selection: Selection, on: Follower<T>): Followed<T> {
    const path = queried(kind, selection, {})
    const running = this.#running.get(path) ?? this.#start(path, kind, selection)
    running.followers += 1
    const leave = () => {
      running.followers -= 1
      if (running.followers > 0) return
      running.watched.stop()
      if (this.#running.get(path) === running) this.#running.delete(path)
    }
    return running.watched.join(on as Follower<ApiObject>, leave) as Followed<T>
  }

  async close(): Promise<void> {
    this.#stop.abort()
    const all = [...this.#running.values()]
    for (const { watched } of all) watched.stop()
    await Promise.all(all.map(({ ended }) => ended))
  }

  #start(path: string, kind: Kind, selection: Selection) {
    const limits = { ...LIMITS, ...NEAR, ...this.#parts.limits }
    const watched = new Watched({ ...this.#parts, limits, kind, selection })
    const running = { watched, ended: watched.run(this.#stop.signal), followers: 0 }
    this.#running.set(path, running)
    return running
  }
}
