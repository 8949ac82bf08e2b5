import { fileURLToPath } from 'node:url'
import { within } from '#lab/network/namespaces.ts'
import { systemClock } from '#system/clock.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import { PROBE } from '../../cluster.ts'
import { dayTime } from '../day-time.ts'
import type { Attempt } from './attempts.ts'
import type { SteadyClientOptions } from './steady-client-program.ts'

// A pod that opens a connection to the probed Service every 3 ms, while it is asked to.

const PROGRAM = fileURLToPath(new URL('./steady-client-program.ts', import.meta.url))
const PATIENCE_MS = 500
/** What has been given up is printed a little later. */
const SLACK_MS = 50
const LOOK_EVERY_MS = 20

export class SteadyClient {
  readonly #child: Child
  #attempts: Attempt[] = []
  #rested = (): void => {}
  #problem: string | undefined

  constructor(namespace: string) {
    const options: SteadyClientOptions = { to: PROBE.ip, port: PROBE.port, everyMs: 3, patienceMs: PATIENCE_MS }
    this.#child = startChild({
      argv: within(namespace, [process.execPath, PROGRAM, JSON.stringify(options)]),
      onLine: line => {
        const attempt = JSON.parse(line) as Attempt | null
        if (attempt === null) this.#rested()
        else this.#attempts.push(attempt)
      },
    })
    void this.#child.ended.then(({ code, stderr }) => {
      this.#problem = `the client ended with ${code}: ${stderr}`
      this.#rested()
    })
  }

  /** Begins, and forgets what was before. */
  go(): void {
    this.#attempts = []
    this.#child.writeLine('go')
  }

  /** Ends, and returns all attempts since it began. */
  async rest(): Promise<readonly Attempt[]> {
    await new Promise<void>(resolve => {
      this.#rested = resolve
      this.#child.writeLine('rest')
    })
    if (this.#problem !== undefined) throw new Error(this.#problem)
    return this.#sorted()
  }

  /** Waits until this holds for the attempts of which all ends are known. */
  async until(holds: (attempts: readonly Attempt[]) => boolean, giveUpMs: number): Promise<'so it is' | 'given up'> {
    const end = dayTime() + giveUpMs
    while (dayTime() < end && this.#problem === undefined) {
      const known = dayTime() - PATIENCE_MS - SLACK_MS
      if (holds(this.#sorted().filter(({ at }) => at < known))) return 'so it is'
      await systemClock.sleep(LOOK_EVERY_MS)
    }
    return 'given up'
  }

  async close(): Promise<void> {
    await this.#child.stop()
  }

  #sorted(): readonly Attempt[] {
    return this.#attempts.toSorted((a, b) => a.at - b.at)
  }
}
