import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { ApiAnswer, Request } from '#kubernetes/transport.ts'
import { Attempt } from '#kubernetes/watch/attempt.ts'
import { Malformed, Refusal, Silent } from '#kubernetes/watch/failures.ts'
import { LIMITS } from '#kubernetes/watch/limits.ts'
import { PaperClock } from '#lab/paper/clock.ts'

// One request under its time limits: what is asked is answered by hand, on a clock that the test moves.

function attempted(outer = new AbortController()) {
  const clock = new PaperClock(1_000_000)
  const asked: Request[] = []
  const answers: ((answer: ApiAnswer) => void)[] = []
  let pieces = 0
  const transport = {
    get: (request: Request) =>
      new Promise<ApiAnswer>((resolve, reject) => {
        const { signal } = request
        if (signal.aborted) reject(signal.reason)
        signal.addEventListener('abort', () => reject(signal.reason))
        asked.push(request)
        answers.push(resolve)
      }),
  }
  const heard = () => {
    pieces += 1
  }
  const attempt = new Attempt({ transport, clock, limits: LIMITS, heard }, outer.signal)
  const answer = (body: Readable, status = 200, headers: ApiAnswer['headers'] = {}) =>
    answers.shift()!({ status, headers, body: body as unknown as ApiAnswer['body'] })
  const body = (...parts: readonly (string | Buffer)[]) => Readable.from(parts.map(part => Buffer.from(part)))
  return { attempt, asked, answer, body, clock, outer, heard: () => pieces }
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('it did not fail'),
    error => error,
  )
}

describe('a request', () => {
  test('that gets no answer ends when its time is over', async () => {
    const { attempt, clock } = attempted()
    const failed = failure(attempt.ask('/api'))
    await clock.advance(LIMITS.headersMs)
    await clock.advance(LIMITS.headersMs / 2)
    expect(await failed).toEqual(new Silent('no answer', LIMITS.headersMs))
    await attempt.close()
    expect(clock.sleepers).toBe(0)
  })

  test('ends when all ends, also where that was before it began', async () => {
    const stopped = new AbortController()
    const { attempt, outer } = attempted(stopped)
    const failed = failure(attempt.ask('/api'))
    outer.abort(new Error('stopped'))
    expect(await failed).toEqual(new Error('stopped'))
    await attempt.close()
    const late = attempted(stopped)
    expect(await failure(late.attempt.ask('/api'))).toEqual(new Error('stopped'))
    await late.attempt.close()
  })

  test('leaves nothing behind when it is over', async () => {
    const { attempt, answer, asked, body, clock, outer } = attempted()
    const asking = attempt.ask('/api', { accept: 'x' })
    answer(body())
    await asking
    await attempt.close()
    expect(asked[0]).toMatchObject({ path: '/api', headers: { accept: 'x' } })
    expect(asked[0]!.signal.aborted).toBe(true)
    expect(clock.sleepers).toBe(0)
    outer.abort(new Error('later'))
    expect(asked[0]!.signal.reason).toEqual(new Error('the attempt is over'))
  })
})

describe('the pieces of an answer', () => {
  test('come one by one, each within the limit that holds then, and each is heard of', async () => {
    const { attempt, answer, clock, heard } = attempted()
    const asking = attempt.ask('/watch')
    const source = new PassThrough()
    answer(source)
    const answered = await asking
    expect(heard()).toBe(1)
    const patience = { missing: 'no event and no bookmark', ms: 1000 } as const
    const pieces = attempt.pieces(answered, () => patience)
    source.write('a')
    expect(String((await pieces.next()).value)).toBe('a')
    expect(heard()).toBe(2)
    // The reader may take its time: only waiting counts.
    await clock.advance(60_000)
    source.write('b')
    expect(String((await pieces.next()).value)).toBe('b')
    source.end()
    expect((await pieces.next()).done).toBe(true)
    await attempt.close()
  })

  test('that stop coming are given up', async () => {
    const { attempt, answer, asked, clock } = attempted()
    const asking = attempt.ask('/watch')
    const source = new PassThrough()
    source.on('error', () => {})
    answer(source)
    const pieces = attempt.pieces(await asking, () => ({ missing: 'no event and no bookmark', ms: 1000 }))
    asked[0]!.signal.addEventListener('abort', () => source.destroy(asked[0]!.signal.reason))
    const failed = failure(pieces.next())
    await clock.advance(LIMITS.headersMs)
    await clock.advance(2000)
    expect(await failed).toEqual(new Silent('no event and no bookmark', 1000))
    await attempt.close()
  })

  test('are no longer read when their reader stops: the connection is free', async () => {
    const { attempt, answer } = attempted()
    const asking = attempt.ask('/watch')
    const source = new PassThrough()
    answer(source)
    source.write('a')
    for await (const _ of attempt.pieces(await asking, () => ({ missing: 'no answer', ms: 1000 }))) break
    expect(source.destroyed).toBe(true)
    await attempt.close()
  })
})

describe('a list as text', () => {
  const listed = async (headers: ApiAnswer['headers'], ...parts: readonly (string | Buffer)[]) => {
    const { attempt, answer, body } = attempted()
    const asking = attempt.ask('/list')
    answer(body(...parts), 200, headers)
    const text = await attempt.text(await asking).catch((error: unknown) => error)
    await attempt.close()
    return text
  }
  const packed = gzipSync('{"items":"ä"}')

  test('is whole wherever the network has cut it', async () => {
    const bytes = Buffer.from('{"items":"ä"}')
    const cut = bytes.indexOf(0xc3) + 1
    expect(await listed({}, bytes.subarray(0, cut), bytes.subarray(cut))).toBe('{"items":"ä"}')
    expect(await listed({ 'content-encoding': 'gzip' }, packed.subarray(0, 9), packed.subarray(9))).toBe(
      '{"items":"ä"}',
    )
  })

  test('that cannot be unpacked is none', async () => {
    const half = packed.subarray(0, packed.length - 9)
    for (const bytes of [half, Buffer.from('not packed')]) {
      const error = await listed({ 'content-encoding': 'gzip' }, bytes)
      expect(error).toBeInstanceOf(Malformed)
      expect(String(error)).toMatch(/a list that cannot be unpacked: /)
    }
  })
})

describe('an answer that is not 200 is a refusal', () => {
  const refused = async (status: number, headers: ApiAnswer['headers'], ...parts: readonly (string | Buffer)[]) => {
    const { attempt, answer, body } = attempted()
    const failed = failure(attempt.ask('/list'))
    answer(body(...parts), status, headers)
    const error = await failed
    await attempt.close()
    expect(error).toBeInstanceOf(Refusal)
    return (error as Refusal).facts
  }

  test('in the words of its Status, with the longest wait that it asks for', async () => {
    const status = { kind: 'Status', message: 'too many', code: 500, details: { retryAfterSeconds: 7 } }
    expect(await refused(429, { 'retry-after': '3' }, JSON.stringify(status))).toEqual({
      ...{ code: 429, said: 'too many', via: 'status', retryAfterMs: 7000 },
    })
    expect(await refused(429, { 'retry-after': '9' }, JSON.stringify(status))).toMatchObject({ retryAfterMs: 9000 })
  })

  test('in those of whatever stands before it, on one line, and not all of them', async () => {
    expect((await refused(502, {}, '<html>\n <b>Bad\r\nGateway</b>\n')).said).toBe('<html> <b>Bad Gateway</b>')
    expect((await refused(502, {}, '{"kind":"Pod","message":"x"}')).said).toBe('{"kind":"Pod","message":"x"}')
    expect((await refused(502, {}, 'null')).said).toBe('null')
    expect((await refused(502, {}, 'x'.repeat(300))).said).toHaveLength(200)
    expect((await refused(502, {})).said).toBe('')
  })

  test('also where it was packed, as lists are', async () => {
    const page = gzipSync('<b>Bad Gateway</b>')
    expect((await refused(502, { 'content-encoding': 'gzip' }, page)).said).toBe('<b>Bad Gateway</b>')
    expect((await refused(502, { 'content-encoding': 'gzip' }, 'not packed')).said).toBe('')
    const bomb = gzipSync(Buffer.alloc(50_000_000))
    expect((await refused(502, { 'content-encoding': 'gzip' }, bomb)).code).toBe(502)
  })

  test('however long it is, and wherever the network has cut it', async () => {
    expect((await refused(500, {}, Buffer.from([0xc3]), Buffer.from([0xa4]))).said).toBe('ä')
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(1 << 16, 'x')
      })(),
    )
    const { attempt, answer } = attempted()
    const failed = failure(attempt.ask('/list'))
    answer(endless, 500)
    expect(await failed).toBeInstanceOf(Refusal)
    expect(endless.destroyed).toBe(true)
    await attempt.close()
  })

  test('that never ends is given up', async () => {
    const { attempt, answer, asked, clock } = attempted()
    const failed = failure(attempt.ask('/list'))
    const source = new PassThrough()
    asked[0]!.signal.addEventListener('abort', () => source.destroy(asked[0]!.signal.reason))
    answer(source, 503)
    source.write('half a')
    await clock.advance(2 * LIMITS.headersMs)
    expect(await failed).toMatchObject({ facts: { code: 503, said: '' } })
    await attempt.close()
  })
})
