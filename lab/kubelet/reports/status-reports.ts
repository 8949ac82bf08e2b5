import type { ClusterClient } from '#lab/client/cluster-client.ts'
import type { Pod } from '#lab/client/objects.ts'
import { ApiRefused } from '#lab/client/refused.ts'
import type { Clock } from '#system/ports.ts'
import type { PodStatus } from '../pod/stands.ts'

// Statuses of pods → the API, one write of a pod at a time: what comes while one is under way goes with the next.

interface Reporting {
  readonly key: { readonly namespace: string; readonly name: string }
  readonly uid: string
  /** As it was written last, and as it is to be. */
  written: string
  wanted: PodStatus | undefined
  /** By a controller, since the write that is under way began. */
  isOverwritten: boolean
}

const RETRY_MS = 1000
/** Why a pod is not ready of which only the node was not heard for a while. */
const NODE_WAS_SILENT = 'NodeNotReady'

export class StatusReports {
  readonly #client: ClusterClient
  readonly #clock: Clock
  readonly #warn: (line: string) => void
  /** By uid. */
  readonly #pods = new Map<string, Reporting>()

  constructor({ client, clock, warn }: { client: ClusterClient; clock: Clock; warn: (line: string) => void }) {
    this.#client = client
    this.#clock = clock
    this.#warn = warn
  }

  report({ metadata }: Pod, status: PodStatus): void {
    const { uid = '', namespace = 'default', name = '' } = metadata
    const known = this.#pods.get(uid)
    if (known !== undefined) {
      const isUnderWay = known.wanted !== undefined
      known.wanted = status
      if (!isUnderWay) void this.#write(known)
      return
    }
    const key = { namespace, name }
    const reporting: Reporting = { key, uid, written: '', wanted: status, isOverwritten: false }
    this.#pods.set(uid, reporting)
    void this.#write(reporting)
  }

  /** As the API has it: what a controller wrote while this node was silent is set right. */
  seen({ metadata, status }: Pod): void {
    const known = this.#pods.get(metadata.uid ?? '')
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')
    if (ready?.reason !== NODE_WAS_SILENT || known === undefined) return
    known.isOverwritten = true
    if (known.wanted !== undefined) return
    known.wanted = JSON.parse(known.written) as PodStatus
    known.written = ''
    void this.#write(known)
  }

  /** Nothing more is written of it. */
  forget({ metadata }: Pod): void {
    this.#pods.delete(metadata.uid ?? '')
  }

  close(): void {
    this.#pods.clear()
  }

  async #write(reporting: Reporting): Promise<void> {
    const { key, uid } = reporting
    // What changes in one turn goes in one write.
    await Promise.resolve()
    while (this.#pods.get(uid) === reporting && reporting.wanted !== undefined) {
      const status = reporting.wanted
      const text = JSON.stringify(status)
      reporting.isOverwritten = false
      try {
        if (text !== reporting.written) await this.#client.patch('Pod', key, { metadata: { uid }, status }, 'status')
        // Which of two writes came last, the answer does not say.
        reporting.written = reporting.isOverwritten ? '' : text
        if (reporting.wanted === status && !reporting.isOverwritten) reporting.wanted = undefined
      } catch (error) {
        // The pod is gone, or another one of its name is there: there is nothing left to report of this one.
        if (error instanceof ApiRefused && (error.code === 404 || error.code === 409))
          return void this.#pods.delete(uid)
        this.#warn(`status of pod ${key.namespace}/${key.name} not written: ${(error as Error).message}`)
        await this.#clock.sleep(RETRY_MS)
      }
    }
  }
}
