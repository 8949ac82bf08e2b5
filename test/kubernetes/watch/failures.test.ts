import { describe, expect, test } from 'vitest'
import { Refusal, reasonOf, retryAfterMs, Silent } from '#kubernetes/watch/failures.ts'

describe('a failure in one line', () => {
  test('names all addresses that were tried, and what is underneath', () => {
    const tried = new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('connect ECONNREFUSED 1')])
    expect(reasonOf(tried)).toBe('connect ECONNREFUSED ::1:1; connect ECONNREFUSED 1')
    expect(reasonOf(new Error('closed', { cause: new Error('reset') }))).toBe('closed (reset)')
    expect(reasonOf(Object.assign(new Error(''), { code: 'ECONNRESET' }))).toBe('ECONNRESET')
    expect(reasonOf('text')).toBe('text')
  })

  test('Retry-After is a number of seconds or a date', () => {
    const now = Date.parse('2030-01-01T00:00:00Z')
    expect(retryAfterMs('3', now)).toBe(3000)
    expect(retryAfterMs('Tue, 01 Jan 2030 00:00:05 GMT', now)).toBe(5000)
    expect(retryAfterMs('Tue, 01 Jan 2030 00:00:00 GMT', now + 5)).toBe(0)
    expect(retryAfterMs('soon', now)).toBe(0)
    expect(retryAfterMs(undefined, now)).toBe(0)
    expect(retryAfterMs(['3'], now)).toBe(0)
    expect(retryAfterMs(' 3 ', now)).toBe(3000)
    for (const none of ['', '-3', '1.5', '0x10', '1e3', 'NaN', '3 seconds']) expect(retryAfterMs(none, now)).toBe(0)
    expect(retryAfterMs('9'.repeat(400), now)).toBe(Number.POSITIVE_INFINITY)
  })

  test('is as long as its causes are, and ends where one of them is its own', () => {
    const certificate = Object.assign(new Error('self-signed'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    expect(reasonOf(new Error('cannot reach https://a', { cause: new Error('failed', { cause: certificate }) }))).toBe(
      'cannot reach https://a (failed (its certificate is not signed by the certificate authority we were given))',
    )
    expect(reasonOf(new AggregateError([], 'none'))).toBe('none')
    expect(reasonOf(new AggregateError([new Error('a'), new Error('a'), 'b']))).toBe('a; b')
    expect(reasonOf(new Error(''))).toBe('Error')
    const circle = new Error('first')
    circle.cause = new Error('second', { cause: circle })
    expect(reasonOf(circle)).toBe('first (second)')
  })

  test('of the API server has its number, and what it said', () => {
    const facts = { code: 503, via: 'status', retryAfterMs: 0 } as const
    expect(new Refusal({ ...facts, said: 'too busy' }).message).toBe('the API server answered 503: too busy')
    expect(new Refusal({ ...facts, said: '' }).message).toBe('the API server answered 503')
    expect(new Silent('no answer', 1500).message).toBe('no answer for 1.5 s')
  })
})
