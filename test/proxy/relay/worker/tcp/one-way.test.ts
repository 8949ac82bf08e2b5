import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { QUIET } from '#proxy/relay/worker/tcp/buffers.ts'
import { OneWay } from '#proxy/relay/worker/tcp/one-way.ts'

/** The socket that is written to: it may hold what it is given, and not a copy of it, until a test has it take it. */
class Sink extends EventEmitter {
  readonly taken: Buffer[] = []
  isSlow = false
  hasEnded = false
  #held: Uint8Array | undefined

  get writableLength(): number {
    return this.#held?.length ?? 0
  }

  write(bytes: Uint8Array): void {
    if (this.isSlow) this.#held = bytes
    else this.taken.push(Buffer.from(bytes))
  }

  take(): void {
    if (this.#held === undefined) return
    this.taken.push(Buffer.from(this.#held))
    this.#held = undefined
    this.emit('drain')
  }

  end(): void {
    this.hasEnded = true
  }
}

/** The socket that is read from, as Node reads with `onread`: it asks for the next buffer as soon as it has filled one, also where it is to stop. */
class Source extends EventEmitter {
  readonly sent: Buffer[] = []
  readonly #way: OneWay
  readonly #waiting: Buffer[] = []
  #isPaused = false
  #next: Uint8Array

  constructor(way: OneWay) {
    super()
    this.#way = way
    this.#next = bufferOf(way)
  }

  arrive(bytes: Buffer): void {
    this.sent.push(bytes)
    this.#waiting.push(bytes)
    this.#read()
  }

  resume(): void {
    this.#isPaused = false
    this.#read()
  }

  #read(): void {
    while (!this.#isPaused && this.#waiting.length > 0) {
      const next = this.#waiting.shift()!
      const buffer = this.#next
      const bytes = Math.min(next.length, buffer.length)
      buffer.set(next.subarray(0, bytes))
      if (bytes < next.length) this.#waiting.unshift(next.subarray(bytes))
      this.#isPaused = !this.#way.onread.callback(bytes, buffer)
      this.#next = bufferOf(this.#way)
    }
  }

  get isPaused(): boolean {
    return this.#isPaused
  }
}

function bufferOf({ onread: { buffer } }: OneWay): Uint8Array {
  return (buffer as () => Uint8Array)()
}

function pair() {
  const way = new OneWay()
  const [source, sink] = [new Source(way), new Sink()]
  way.carry(source as unknown as Socket, sink as unknown as Socket)
  const isWhole = () => Buffer.concat(sink.taken).equals(Buffer.concat(source.sent))
  return { way, source, sink, isWhole }
}

test('no more is read than the other side takes', () => {
  const { source, sink, isWhole } = pair()
  sink.isSlow = true
  source.arrive(Buffer.from('one'))
  expect(source.isPaused).toBe(true)
  source.arrive(Buffer.from('two'))
  expect([sink.writableLength, sink.taken.length]).toEqual([3, 0])
  sink.take()
  sink.take()
  expect(isWhole()).toBe(true)
})

test('the end of one side is the end of the other', () => {
  const { source, sink } = pair()
  source.emit('end')
  expect(sink.hasEnded).toBe(true)
})

test('a connection that sends much gets a buffer of its own, and gives it back once it is quiet', () => {
  const { way, source } = pair()
  const next = () => bufferOf(way)
  expect(next()).toBe(QUIET)
  source.arrive(Buffer.alloc(QUIET.length))
  expect(next()).not.toBe(QUIET)
  source.arrive(Buffer.alloc(1))
  expect(next()).toBe(QUIET)
  source.arrive(Buffer.alloc(QUIET.length))
  expect(next()).not.toBe(QUIET)
  way.release()
  expect(next()).not.toBe(undefined)
})

test('a buffer that the other side has not emptied is given to no other connection', () => {
  const [slow, other] = [pair(), pair()]
  slow.source.arrive(Buffer.alloc(QUIET.length))
  slow.sink.isSlow = true
  slow.source.arrive(Buffer.from('held'))
  other.source.arrive(Buffer.alloc(QUIET.length))
  other.source.arrive(Buffer.alloc(100, 1))
  slow.sink.take()
  expect(slow.isWhole()).toBe(true)
})

test('whatever the sizes, and however slow the others are, each side gets just what was sent', () => {
  const step = fc.record({
    of: fc.nat(2),
    do: fc.constantFrom('send', 'send', 'take', 'slow', 'quick'),
    bytes: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constantFrom(QUIET.length - 1, QUIET.length, 3 * QUIET.length)),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      // All quiet connections read into one buffer.
      const pairs = [pair(), pair(), pair()]
      steps.forEach(({ of, do: what, bytes }, i) => {
        const { source, sink } = pairs[of]!
        if (what === 'send') source.arrive(Buffer.alloc(bytes, i + 1))
        else if (what === 'take') sink.take()
        else sink.isSlow = what === 'slow'
      })
      for (const { way, sink, isWhole } of pairs) {
        while (sink.writableLength > 0) sink.take()
        way.release()
        expect(isWhole()).toBe(true)
      }
    }),
  )
})
