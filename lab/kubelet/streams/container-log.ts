import type { LogOptions } from '#lab/api-server/streams/pod-streams.ts'

// What a container writes → its last lines with the time of each, and a follower of those to come.

/** Of the text of one container; older lines go first. */
const KEPT_BYTES = 256 * 1024
/** A longer line is kept in pieces. */
const LONGEST_LINE = 16 * 1024

interface Line {
  readonly at: number
  readonly bytes: Buffer
}

export type ReadOptions = Pick<LogOptions, 'follow' | 'timestamps' | 'tailLines' | 'sinceSeconds' | 'limitBytes'>

export class ContainerLog {
  readonly #now: () => number
  #lines: Line[] = []
  /** How many lines have gone from the front. */
  #dropped = 0
  #size = 0
  /** Of each stream, what has come since its last newline. */
  readonly #rests = new Map<'stdout' | 'stderr', Buffer>()
  #ended = false
  readonly #waiting = new Set<() => void>()

  constructor(now: () => number) {
    this.#now = now
  }

  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    let rest = Buffer.concat([this.#rests.get(stream) ?? Buffer.alloc(0), bytes])
    for (;;) {
      const newline = rest.indexOf(10)
      const end =
        newline === -1 || newline >= LONGEST_LINE ? (rest.length > LONGEST_LINE ? LONGEST_LINE : 0) : newline + 1
      if (end === 0) break
      this.#keep(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
    this.#rests.set(stream, rest)
    this.#wake()
  }

  /** A line of the kubelet's own program. */
  say(text: string): void {
    this.write('stdout', Buffer.from(`${text}\n`))
  }

  /** No line comes after this. */
  end(): void {
    for (const rest of this.#rests.values()) if (rest.length > 0) this.#keep(rest)
    this.#rests.clear()
    this.#ended = true
    this.#wake()
  }

  async *read({
    follow,
    timestamps,
    tailLines,
    sinceSeconds,
    limitBytes = Infinity,
  }: ReadOptions): AsyncIterable<Buffer> {
    const since = sinceSeconds === undefined ? 0 : this.#now() - sinceSeconds * 1000
    const first = tailLines === undefined ? 0 : Math.max(0, this.#lines.length - tailLines)
    let left = limitBytes
    for (let next = this.#dropped + first; ; next++) {
      next = Math.max(next, this.#dropped)
      while (follow && !this.#ended && next >= this.#dropped + this.#lines.length) await this.#arrival()
      const line = this.#lines[next - this.#dropped]
      if (line === undefined || left <= 0) return
      if (line.at < since) continue
      const text = timestamps ? Buffer.concat([Buffer.from(`${stamp(line.at)} `), line.bytes]) : line.bytes
      yield text.subarray(0, left)
      left -= text.length
    }
  }

  #keep(bytes: Buffer): void {
    this.#lines.push({ at: this.#now(), bytes: Buffer.from(bytes) })
    this.#size += bytes.length
    let gone = 0
    while (this.#size > KEPT_BYTES) this.#size -= this.#lines[gone++]!.bytes.length
    if (gone === 0) return
    this.#lines = this.#lines.slice(gone)
    this.#dropped += gone
  }

  #arrival(): Promise<void> {
    return new Promise(resolve => this.#waiting.add(resolve))
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }
}

/** RFC 3339 with nine digits, as kubelets write it. */
function stamp(ms: number): string {
  const iso = new Date(ms).toISOString()
  const micros = Math.floor((ms % 1) * 1_000_000)
  return `${iso.slice(0, -1)}${String(micros).padStart(6, '0')}Z`
}
