// A call of a logging method → the file and line it stands in, `agent.ts:78`.

type Method = (...args: never[]) => unknown

const UNKNOWN = '???:1'
/** `at Agent.open (file:///…/agent.ts:78:9)`; the address of a module may have a query. */
const FRAME = /(?<file>[^/\\\s(?]+)(?:\?[^/]*)?:(?<line>\d+):\d+\)?$/

/**
 * Where `method` was called, read from the stack. Only for sources that run unbuilt: a bundle has other lines, and there the
 * build has written the site before each call (build/log-sites.ts).
 */
export function callSite(method: Method): string {
  const before = Error.stackTraceLimit
  const trace: { stack?: unknown } = {}
  // One frame is all that is read; ten, the default, cost three times as much.
  Error.stackTraceLimit = 1
  Error.captureStackTrace(trace, method)
  Error.stackTraceLimit = before
  const { file, line } = FRAME.exec(String(trace.stack).trimEnd())?.groups ?? {}
  return file === undefined ? UNKNOWN : `${file}:${line}`
}
