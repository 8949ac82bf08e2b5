import type { Clock } from '#system/ports.ts'
import type { PluginAnswer } from '../answer.ts'
import type { PluginCall } from '../protocol/decode.ts'
import { Turns } from './turns.ts'

// A call → its answer, when its turn has come: one at a time for each container, GC alone.

/** What a plugin does with a call. */
export type Answer = (call: PluginCall) => Promise<PluginAnswer>

export interface WorkDone {
  readonly call: PluginCall
  readonly output: PluginAnswer
  /** From its arrival. */
  readonly tookMs: number
  /** Of this, the time in which others had their turns. */
  readonly waitedMs: number
  /** Its caller did not wait: it was not begun, or was taken back where it had made something. */
  readonly abandoned: 'no' | 'before' | 'after'
}

export interface WorkParts {
  readonly answer: Answer
  readonly clock: Clock
}

export class Work {
  readonly #parts: WorkParts
  readonly #turns = new Turns()
  #underWay = 0

  constructor(parts: WorkParts) {
    this.#parts = parts
  }

  /** Calls that wait for their turn or are worked on. */
  get underWay(): number {
    return this.#underWay
  }

  async do(call: PluginCall, isWanted: () => boolean): Promise<WorkDone> {
    const { clock } = this.#parts
    const came = clock.now()
    this.#underWay += 1
    const finished = await this.#turn(call, async () => {
      const waitedMs = clock.now() - came
      return { waitedMs, ...(await this.#carryOut(call, isWanted)) }
    }).finally(() => {
      this.#underWay -= 1
    })
    return { call, tookMs: clock.now() - came, ...finished }
  }

  /** What is no call of a runtime, between those of its container. */
  inTurn<T>(container: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.inTurn(container, work)
  }

  /** Resolves when all that came up to now is done. */
  idle(): Promise<void> {
    return this.#turns.idle()
  }

  #turn<T>({ env }: PluginCall, work: () => Promise<T>): Promise<T> {
    if (env.CNI_COMMAND === 'GC') return this.#turns.alone(work)
    const container = env.CNI_CONTAINERID ?? ''
    // STATUS and VERSION: kubelet asks every few seconds, and waits for none of the others.
    return container === '' ? work() : this.#turns.inTurn(container, work)
  }

  /**
   * An ADD whose runtime is gone by the time it is made has given an address to a pod that will never be: the runtime has
   * given up, and may or may not send a DEL.
   */
  async #carryOut(call: PluginCall, isWanted: () => boolean): Promise<Pick<WorkDone, 'output' | 'abandoned'>> {
    const { answer } = this.#parts
    if (!isWanted()) return { output: NOT_BEGUN, abandoned: 'before' }
    const output = await answer(call)
    if (call.env.CNI_COMMAND !== 'ADD' || output.code !== 0 || isWanted()) return { output, abandoned: 'no' }
    await answer({ ...call, env: { ...call.env, CNI_COMMAND: 'DEL' } })
    return { output, abandoned: 'after' }
  }
}

const NOT_BEGUN: PluginAnswer = { code: 1, stdout: '', stderr: 'the caller has gone' }
