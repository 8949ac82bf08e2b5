import type { LocalConnection } from '#system/local-socket.ts'
import type { PluginCall } from '../protocol/decode.ts'
import { answerBytes, READY, readCall, STILL_WORKING } from './frames.ts'
import type { Pulse } from './pulse.ts'
import type { WorkDone } from './work.ts'

// One connection → one call, worked on once the helper at the other end cannot do it any more, and its answer.

export interface ConversationParts {
  readonly pulse: Pulse
  /** Asked when the call is whole; otherwise the connection is closed, and the helper does the work by itself. */
  readonly mayBegin: () => boolean
  /** Does the work; never rejects. `isWanted` says, when its turn has come, whether the helper still waits for it. */
  readonly work: (call: PluginCall, isWanted: () => boolean) => Promise<WorkDone>
  /** Called with what was done, once the answer is on its way, as are others of that moment: a pod waits for no log. */
  readonly done: (work: WorkDone) => void
  /** The connection was of no use: why. */
  readonly refused: (problem: string) => void
}

/** A helper sends its call at once; what is slower than this is none. */
const CALL_WITHIN_BEATS = 10

/** Resolves when the answer has been handed over, or there will be none. */
export async function converse(connection: LocalConnection, parts: ConversationParts): Promise<void> {
  const { pulse, work, done, mayBegin, refused } = parts
  const arrived = await arrival(connection, pulse)
  if (typeof arrived === 'string') {
    // One that only looks whether a daemon is here is no matter for the log.
    if (arrived !== GONE) refused(arrived)
    return connection.end()
  }
  // Where the kernel refuses the word, the helper has waited too long and does the work itself.
  if (!mayBegin() || !(await connection.write(READY))) return connection.end()
  // A helper that sees no dot takes the daemon for stuck.
  const silence = pulse.each(() => connection.write(STILL_WORKING))
  const finished = await work(arrived, () => !connection.isClosed)
  silence()
  await connection.end(answerBytes(finished.output))
  done(finished)
}

const GONE = 'the helper is gone'

/** The call, once it is whole; otherwise the reason why there is none. */
async function arrival(connection: LocalConnection, pulse: Pulse): Promise<PluginCall | string> {
  let stopWaiting = (): void => {}
  const outcome = await new Promise<PluginCall | string>(resolve => {
    let heard: Buffer = Buffer.alloc(0)
    let beats = 0
    connection.onBytes(bytes => {
      heard = heard.length === 0 ? bytes : Buffer.concat([heard, bytes])
      const frame = readCall(heard)
      if (frame !== 'incomplete') resolve('problem' in frame ? frame.problem : frame.call)
    })
    connection.onClosed(() => resolve(GONE))
    if (connection.isClosed) resolve(GONE)
    stopWaiting = pulse.each(() => {
      beats += 1
      if (beats >= CALL_WITHIN_BEATS) resolve('a helper that did not send its call')
    })
  })
  stopWaiting()
  return outcome
}
