import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDuration, parseDuration, roundedDuration } from '#values/duration.ts'

describe('a duration', () => {
  test.each([
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1.5s', 1500],
    ['0', 0],
    ['-1s', -1000],
    ['100us', 0.1],
    ['100µs', 0.1],
    ['100μs', 0.1],
    ['+5s', 5000],
    ['-0', 0],
    ['-0s', 0],
    ['5.s', 5000],
    ['.5s', 500],
    ['1s1h', 3_601_000],
    ['1s1s', 2000],
    ['0.100000000000000000000h', 360_000],
    ['9223372036854775807ns', 2 ** 63 / 1e6],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

  test.each(['', '30', '1d', 's', '1s ', ' 1s', '1,5s', '--1s', '+', '-', '.s', '.', '1s-1s', '1e3s', '1 s', '1s30'])(
    '%j is not one',
    text => expect(parseDuration(text)).toBeUndefined(),
  )

  test.each(['9223372036854780000ns', '3000000h', '2562047h48m', '-3000000h', `${'9'.repeat(400)}s`])(
    '%s does not fit into the 64 bits Go has for it, and is not one',
    text => expect(parseDuration(text)).toBeUndefined(),
  )

  test('is refused in a moment, however long the text', () => {
    const started = process.threadCpuUsage()
    expect(parseDuration('1'.repeat(100_000))).toBeUndefined()
    expect(process.threadCpuUsage(started).user).toBeLessThan(1_000_000)
  })

  test.each([
    [3_600_000, '1h0m0s'],
    [30_000, '30s'],
    [90_000, '1m30s'],
    [250, '250ms'],
    [1500, '1.5s'],
    [0, '0s'],
    [-90_000, '-1m30s'],
    [0.000_001, '1ns'],
    [0.1 + 0.2, '300µs'],
    [59_999.999_999_9, '1m0s'],
    [999.999_999_9, '1s'],
    [0.999_999_9, '1ms'],
  ])('%d ms is written %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

  test('is written so that it is read as the same nanosecond, in units that are not overfull', () => {
    const nanoseconds = fc.oneof(fc.integer({ min: 0, max: 2e9 }), fc.integer({ min: 0, max: 2 ** 46 }))
    fc.assert(
      fc.property(nanoseconds, fc.constantFrom(-1, 1), (ns, sign) => {
        const text = formatDuration((sign * ns) / 1e6)
        expect(Math.round(parseDuration(text)! * 1e6)).toBe(sign * ns + 0)
        expect(text).toMatch(
          /^-?(?:0s|\d{1,3}ns|\d{1,3}(?:\.\d+)?(?:µs|ms)|[1-5]?\d(?:\.\d+)?s|(?:\d+h)?[1-5]?\dm[1-5]?\d(?:\.\d+)?s)$/,
        )
      }),
    )
  })

  test.each([
    [146.666_664, '147ms'],
    [0.012_345_6, '12.3µs'],
    [1234.5, '1.23s'],
    [35, '35ms'],
    [59_999, '1m0s'],
    [133_456.7, '2m13s'],
    [7_654_321, '2h7m34s'],
    [0, '0s'],
    [-1.234_5, '-1.23ms'],
  ])('%d ms that were measured are written %s', (ms, text) => expect(roundedDuration(ms)).toBe(text))
})
