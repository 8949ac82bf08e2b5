import pino from 'pino'
import type { Clock } from '#system/ports.ts'
import { errorText, jsonValue, type Pairs, pairsText, printableJson, quoted, sentenceText } from './klog-format.ts'

// What we say → klog lines on standard error, as text or JSON, each written before the call returns.

export interface Log {
  /** A plain sentence, always logged. In text it stands alone; bound pairs show in JSON only. */
  say(sentence: string): void
  /** A message with its pairs, logged from this verbosity on. */
  info(v: number, message: string, pairs?: Pairs): void
  /** Without pairs, of its own or bound, a plain sentence. */
  warning(message: string, pairs?: Pairs): void
  error(message: string, error: unknown, pairs?: Pairs): void
  /** The same log, saying where it speaks from: `lane.ts:41`. The file is what --vmodule goes by. */
  at(label: string): Log
  /** The same log with pairs that come before all others. */
  with(pairs: Pairs): Log
  readonly verbosity: number
  /** Whether this verbosity is logged: ask before making something costly to show. */
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

export interface LogOptions {
  readonly format: 'text' | 'json'
  readonly verbosity: number
  /** Another verbosity for files whose name, without its ending, matches; the first match counts. */
  readonly vmodule?: readonly { readonly pattern: string; readonly verbosity: number }[]
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
  return new Klog({ options, sink, write, label: '???:1', bound: {} })
}

/** One thing said, before it has a form. */
interface Line {
  readonly severity: 'I' | 'W' | 'E'
  readonly v: number
  readonly label: string
  readonly message: string
  readonly isSentence: boolean
  readonly pairs: Pairs
}

interface Parts {
  readonly options: LogOptions
  readonly sink: Sink
  readonly write: (line: Line) => void
  readonly label: string
  readonly bound: Pairs
}

class Klog implements Log {
  readonly verbosity: number
  readonly #parts: Parts

  constructor(parts: Parts) {
    const { verbosity, vmodule = [] } = parts.options
    this.#parts = parts
    this.verbosity = vmodule.find(({ pattern }) => matches(pattern, parts.label))?.verbosity ?? verbosity
  }

  say(sentence: string): void {
    const { write, label, bound } = this.#parts
    write({ severity: 'I', v: 0, label, message: sentence, isSentence: true, pairs: bound })
  }

  info(v: number, message: string, pairs?: Pairs): void {
    if (v > this.verbosity) return
    const { write, label, bound } = this.#parts
    write({ severity: 'I', v, label, message, isSentence: false, pairs: { ...bound, ...pairs } })
  }

  warning(message: string, pairs?: Pairs): void {
    const { write, label, bound } = this.#parts
    const all = { ...bound, ...pairs }
    write({ severity: 'W', v: 0, label, message, isSentence: Object.keys(all).length === 0, pairs: all })
  }

  error(message: string, error: unknown, pairs?: Pairs): void {
    const { write, label, bound } = this.#parts
    const err = error === undefined || error === null ? {} : { err: errorText(error) }
    write({ severity: 'E', v: 0, label, message, isSentence: false, pairs: { ...err, ...bound, ...pairs, ...err } })
  }

  at(label: string): Log {
    return new Klog({ ...this.#parts, label })
  }

  with(pairs: Pairs): Log {
    return new Klog({ ...this.#parts, bound: { ...this.#parts.bound, ...pairs } })
  }

  v(level: number): boolean {
    return level <= this.verbosity
  }

  flush(): void {
    this.#parts.sink.flushSync?.()
  }
}

function textWriter(sink: Sink, { clock, pid }: LogOptions): Parts['write'] {
  const owner = ` ${String(pid).padStart(7)} `
  const timeText = cachedTime()
  return ({ severity, label, message, isSentence, pairs }) => {
    const header = `${severity}${timeText(clock.now())}${owner}${label}] `
    const said = isSentence ? sentenceText(message) : quoted(message) + pairsText(pairs)
    sink.write(`${header}${said}\n`)
  }
}

/** pino writes the JSON; klog's order of fields is ours: ts, caller, msg, then v or err, then the pairs. */
function jsonWriter(sink: Sink, { clock }: LogOptions): Parts['write'] {
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
  return ({ severity, v, label, message, pairs }) => {
    const fields: Record<string, unknown> = { caller: label, msg: message }
    if (severity !== 'E') fields.v = v
    for (const key in pairs) fields[key] = jsonValue(pairs[key])
    logger.info(fields)
  }
}

/** Synchronous: what was said before a crash is there after it. A reader that is gone or a full disk must not end the proxy. */
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

/** `lane` and `l*` match the label `lane.ts:41`; `?` stands for one character. */
function matches(pattern: string, label: string): boolean {
  const file = label.replace(/:\d+$/, '').replace(/\.[^.]*$/, '')
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${expression}$`).test(file)
}
