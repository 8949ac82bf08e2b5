import pino from 'pino'
import type { Clock } from '#system/ports.ts'
import { callSite } from './call-site.ts'
import { errorText, jsonValue, type Pairs, pairsText, printableJson, quoted, sentenceText } from './klog-format.ts'
import { type VerbosityOptions, verbosityBySite } from './vmodule.ts'

// What the agent logs → klog lines on standard error, as text or JSON, each written before the call returns.

/** A variable or field that holds one is called `log`: so the build finds each call and writes its file and line before it. */
export interface Log {
  /** A plain sentence, always logged. In text it stands alone; bound pairs show in JSON only. */
  say(sentence: string): void
  /** A message with its pairs, logged from this verbosity on. */
  info(v: number, message: string, pairs?: Pairs): void
  /** Without pairs, of its own or bound, a plain sentence. */
  warning(message: string, pairs?: Pairs): void
  error(message: string, error: unknown, pairs?: Pairs): void
  /** The same log for lines of one site, `agent.ts:78`. The build writes these calls; unbuilt, the stack names the site. */
  at(site: string): Log
  /** The same log with pairs that come before all others. */
  with(pairs: Pairs): Log
  /** Whether this verbosity is logged in the file that asks: ask before making something costly to show. */
  v(level: number): boolean
  flush(): void
}

/** Where lines go; a whole line each time. */
export interface Sink {
  write(line: string): unknown
  flushSync?(): unknown
}

/** What is kept for later while it cannot be written; more is dropped. */
const KEPT_BYTES = 1 << 20

export interface LogOptions extends VerbosityOptions {
  readonly format: 'text' | 'json'
  /** Standard error if absent. */
  readonly fd?: number
  /** Instead of a file descriptor. */
  readonly sink?: Sink
  readonly clock: Pick<Clock, 'now'>
  readonly pid: number
}

export function openLog(options: LogOptions): Log {
  const sink = options.sink ?? openDescriptor(options.fd ?? 2)
  const write = options.format === 'json' ? jsonWriter(sink, options) : textWriter(sink, options)
  return new Klog({ options, sink, write, verbosityAt: verbosityBySite(options) }, {})
}

/** One message, before it has a form. */
interface Line {
  readonly severity: 'I' | 'W' | 'E'
  readonly v: number
  readonly site: string
  readonly message: string
  readonly isSentence: boolean
  readonly pairs: Pairs
}

interface Output {
  readonly options: LogOptions
  readonly sink: Sink
  readonly write: (line: Line) => void
  readonly verbosityAt: (site: string) => number
}

class Klog implements Log {
  readonly #output: Output
  readonly #bound: Pairs
  readonly #site: string | undefined

  constructor(output: Output, bound: Pairs, site?: string) {
    this.#output = output
    this.#bound = bound
    this.#site = site
  }

  say(message: string): void {
    const site = this.#site ?? callSite(this.say)
    this.#output.write({ severity: 'I', v: 0, site, message, isSentence: true, pairs: this.#bound })
  }

  info(v: number, message: string, pairs?: Pairs): void {
    if (v > this.#verbosity(this.info)) return
    const site = this.#site ?? callSite(this.info)
    const all = { ...this.#bound, ...pairs }
    this.#output.write({ severity: 'I', v, site, message, isSentence: false, pairs: all })
  }

  warning(message: string, pairs?: Pairs): void {
    const site = this.#site ?? callSite(this.warning)
    const all = { ...this.#bound, ...pairs }
    const isSentence = Object.keys(all).length === 0
    this.#output.write({ severity: 'W', v: 0, site, message, isSentence, pairs: all })
  }

  error(message: string, error: unknown, pairs?: Pairs): void {
    const site = this.#site ?? callSite(this.error)
    const err = error === undefined || error === null ? {} : { err: errorText(error) }
    const all = { ...err, ...this.#bound, ...pairs, ...err }
    this.#output.write({ severity: 'E', v: 0, site, message, isSentence: false, pairs: all })
  }

  at(site: string): Log {
    return new Klog(this.#output, this.#bound, site)
  }

  with(pairs: Pairs): Log {
    return new Klog(this.#output, { ...this.#bound, ...pairs }, this.#site)
  }

  v(level: number): boolean {
    return level <= this.#verbosity(this.v)
  }

  flush(): void {
    this.#output.sink.flushSync?.()
  }

  /** Only --vmodule needs the site to know; without it, a line that is not logged costs one comparison. */
  #verbosity(method: (...args: never[]) => unknown): number {
    const { options, verbosityAt } = this.#output
    if (options.vmodule === undefined || options.vmodule.length === 0) return options.verbosity
    return verbosityAt(this.#site ?? callSite(method))
  }
}

function textWriter(sink: Sink, { clock, pid }: LogOptions): Output['write'] {
  const owner = ` ${String(pid).padStart(7)} `
  const timeText = cachedTime()
  return ({ severity, site, message, isSentence, pairs }) => {
    const header = `${severity}${timeText(clock.now())}${owner}${site}] `
    const text = isSentence ? sentenceText(message) : quoted(message) + pairsText(pairs)
    sink.write(`${header}${text}\n`)
  }
}

/** pino writes the JSON; klog's order of fields is ours: ts, caller, msg, then v or err, then the pairs. */
function jsonWriter(sink: Sink, { clock }: LogOptions): Output['write'] {
  const logger = pino(
    {
      base: null,
      level: 'trace',
      formatters: { level: () => ({}) },
      // The level leaves nothing before it, so no comma either.
      timestamp: () => `"ts":${Math.round(clock.now() * 1000) / 1000}`,
    },
    { write: line => void sink.write(printableJson(line)) },
  )
  return ({ severity, v, site, message, pairs }) => {
    const fields: Record<string, unknown> = { caller: site, msg: message }
    if (severity !== 'E') fields.v = v
    for (const key in pairs) fields[key] = jsonValue(pairs[key])
    logger.info(fields)
  }
}

/** Synchronous: what was logged before a crash is there after it. A reader that is gone or a full disk must not end the proxy. */
function openDescriptor(fd: number): Sink {
  const destination = pino.destination({ fd, sync: true, maxLength: KEPT_BYTES })
  let failing = false
  destination.on('error', () => {
    failing = true
  })
  destination.on('write', () => {
    failing = false
  })
  return {
    write: line => destination.write(line),
    // While writing fails, flushSync would try for ever; the next line tries once more anyway.
    flushSync: () => failing || destination.flushSync(),
  }
}

/** `1121 00:33:18.431356` in local time; all but the microseconds is made once a second. */
function cachedTime(): (ms: number) => string {
  let second = Number.NaN
  let text = ''
  return ms => {
    const micros = Math.floor(ms * 1000)
    const now = Math.floor(micros / 1e6)
    if (now !== second) {
      second = now
      text = dayAndTime(new Date(now * 1000))
    }
    return `${text}.${String(micros - now * 1e6).padStart(6, '0')}`
  }
}

function dayAndTime(date: Date): string {
  const two = (n: number) => String(n).padStart(2, '0')
  const day = two(date.getMonth() + 1) + two(date.getDate())
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
