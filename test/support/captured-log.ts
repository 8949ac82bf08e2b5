import { type Log, openLog } from '#telemetry/log/klog.ts'

// A log whose lines a test can read.

export interface CapturedLog {
  readonly log: Log
  readonly lines: readonly string[]
}

/** Lines up to this verbosity, each without its klog header. */
export function captureLog(verbosity = 4): CapturedLog {
  const lines: string[] = []
  const sink = { write: (line: string) => lines.push(line.slice(line.indexOf('] ') + 2).trimEnd()) }
  return { log: openLog({ format: 'text', verbosity, sink, clock: { now: () => 0 }, pid: 1 }), lines }
}
