import { complain, print } from '#system/output.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { errorText, type Pairs, pairsText } from '#telemetry/log/klog-format.ts'

// The log of a verb that a person runs by hand: what it has to say on standard output, `Warning: …` and `Error: …` on
// standard error. klog lines are for `run`, which is read by machines too.

export function terminalLog(bound: Pairs = {}): Log {
  const line = (message: string, pairs?: Pairs): string => message + pairsText({ ...bound, ...pairs })
  const log: Log = {
    say: print,
    info: (v, message, pairs) => (v === 0 ? print(line(message, pairs)) : undefined),
    warning: (message, pairs) => complain(`Warning: ${line(message, pairs)}`),
    error: (message, error, pairs) => complain(errorLine(line(message, pairs), error)),
    at: () => log,
    with: pairs => terminalLog({ ...bound, ...pairs }),
    v: level => level === 0,
    flush: () => {},
  }
  return log
}

/** With the message of every cause, and no stack. */
export function errorLine(message: string, error?: unknown): string {
  const why = error === undefined ? [] : [errorText(error)]
  return ['Error', ...(message === '' ? [] : [message]), ...why].join(': ')
}
