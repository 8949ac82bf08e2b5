import { type LocalConnection, serveLocal } from '#system/local-socket.ts'
import { AlreadyServed } from '#system/placed-socket.ts'
import type { Clock } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { converse } from './conversation.ts'
import { Pulse } from './pulse.ts'
import { type CallSummary, summaryOf } from './summary.ts'
import { type Answer, Work, type WorkDone } from './work.ts'

// A socket → each call that comes in over it, worked on and answered. It knows nothing that is not in the database or in the
// kernel, so it may be killed at any instant.

export interface DaemonParts {
  readonly socket: string
  readonly answer: Answer
  readonly clock: Clock
  readonly log: Log
  /** Called for each call that was worked on. */
  readonly observed: (summary: CallSummary, work: WorkDone) => void
}

export interface Daemon {
  /** Calls that wait for their turn or are worked on. */
  readonly underWay: () => number
  /** The same, and those that are arriving. */
  readonly talking: () => number
  /** What is no call, between those of its container. */
  inTurn<T>(container: string, work: () => Promise<T>): Promise<T>
  /** Makes the socket anew where it is gone, until the signal aborts. Rejects where another daemon has taken its place. */
  keepReachable(signal: AbortSignal): Promise<void>
  /** No call is begun from here on; resolves when those that were begun have been answered. */
  stop(): Promise<void>
}

/** Rejects where another daemon serves there. */
export async function openDaemon({ socket, answer, clock, log, observed }: DaemonParts): Promise<Daemon> {
  const done = (finished: WorkDone): void => {
    const summary = summaryOf(finished.call, finished.output)
    report(log, summary, finished)
    observed(summary, finished)
  }
  const work = new Work({ answer, clock })
  const pulse = new Pulse(clock)
  /** Each until its answer has been handed over. */
  const begun = new Set<Promise<void>>()
  let isStopping = false
  let arriving = 0
  const onConnection = (connection: LocalConnection): void => {
    arriving += 1
    let isCounted = true
    const arrived = (): void => {
      if (isCounted) arriving -= 1
      isCounted = false
    }
    const talk: Promise<void> = converse(connection, {
      pulse,
      // A helper whose connection is closed does the work itself.
      mayBegin() {
        if (!isStopping) begun.add(talk)
        return !isStopping
      },
      work(call, isWanted) {
        arrived()
        return work.do(call, isWanted)
      },
      done,
      refused: problem => log.warning('Connection closed', { problem }),
    }).finally(() => {
      arrived()
      begun.delete(talk)
    })
  }
  const serve = () =>
    serveLocal(socket, onConnection).catch((error: unknown) => {
      if (error instanceof AlreadyServed) throw new Error(`another daemon of this node serves at ${socket}`)
      throw error
    })
  let listener = await serve()
  const look = async (): Promise<void> => {
    if ((await listener.isReachable()) || isStopping) return
    await listener.close()
    listener = await serve()
    log.warning('Socket was removed, and is there again', { socket })
  }
  /** Settles when the last look is done, and the socket it may have made is the one to be closed. */
  let looked: Promise<void> = Promise.resolve()
  return {
    underWay: () => work.underWay,
    talking: () => arriving + work.underWay,
    inTurn: (container, between) => work.inTurn(container, between),
    async keepReachable(signal) {
      for (;;) {
        await clock.sleep(LOOK_EVERY_MS, signal)
        if (signal.aborted) return
        looked = look()
        await looked
      }
    },
    async stop() {
      isStopping = true
      await looked.catch(() => {})
      await listener.close()
      while (begun.size > 0) await Promise.all(begun)
    },
  }
}

/** Meanwhile the program beside the helper does the work. */
const LOOK_EVERY_MS = 5000

/** Errors are of the plugin, and what they say is for the person who looks after the node. */
function report(log: Log, summary: CallSummary, { output, tookMs, waitedMs, abandoned }: WorkDone): void {
  const { command, failure, ips, ...whose } = summary
  const pairs = { command, ...whose, ...(ips && { ips }), tookMs: rounded(tookMs), waitedMs: rounded(waitedMs) }
  if (abandoned !== 'no') log.warning(`CNI call whose caller has gone was ${ABANDONED[abandoned]}`, pairs)
  else if (failure === undefined) log.info(CHANGES.includes(command) ? 0 : 4, 'CNI call answered', pairs)
  else {
    const { code, message, details } = failure
    log.error('CNI call failed', message, { ...pairs, code, ...(details && { details }), status: output.code })
  }
}

const ABANDONED = { before: 'not begun', after: 'taken back' } as const

/** Kubelet has STATUS asked every few seconds. */
const CHANGES: readonly string[] = ['ADD', 'DEL', 'GC']

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
