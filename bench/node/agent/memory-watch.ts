import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ProcessMemory } from './process-tree.ts'

// The memory of a process and its children, phase by phase.

export interface MemoryPeak {
  readonly kiB: number
  readonly parts: readonly ProcessMemory[]
  /** So many different ones were seen. */
  readonly children: number
}

export class MemoryWatch {
  readonly #worker = new Worker(new URL('./memory-worker.ts', import.meta.url))

  /** From now on this process; a new phase begins. */
  follow(pid: number): void {
    this.#worker.postMessage(pid)
  }

  /** The peak of the phase that ends here; the next begins. */
  async phase(): Promise<MemoryPeak> {
    this.#worker.postMessage('peak')
    const [peak] = (await once(this.#worker, 'message')) as [MemoryPeak]
    return peak
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}
