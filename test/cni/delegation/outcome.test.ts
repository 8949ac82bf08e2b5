import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mustSucceed, resultOf } from '#cni/delegation/outcome.ts'
import { CniError } from '#cni/protocol/error.ts'
import { printedError } from '#cni/protocol/print.ts'
import { NO_RESULT } from '#cni/protocol/result.ts'
import { NOT_EXECUTABLE, NOT_FOUND, TIMED_OUT } from '#system/ports.ts'
import { outcome } from '../parts.ts'

function refusal(act: () => unknown): readonly [number, string, string] {
  try {
    act()
  } catch (error) {
    if (error instanceof CniError) return [error.code, error.message, error.details]
    throw error
  }
  throw new Error('it was not refused')
}

describe('a plugin that failed', () => {
  test.each([
    [outcome({ code: 11, msg: 'wait', details: 'for it' }, 1), [11, 'wait', 'for it']],
    [outcome({ msg: 'old', details: 5 }, 1), [999, 'old', '']],
    [outcome({ code: 0, msg: 'x' }, 1), [999, 'x', '']],
    [outcome({ code: -7, msg: 'x' }, 1), [999, 'x', '']],
    [outcome({ code: 7.5, msg: 'x' }, 1), [999, 'x', '']],
    [outcome('{"code": 1e999, "msg": "x"}', 1), [999, 'x', '']],
    [outcome({ code: '7', msg: 'x' }, 1), [999, 'x', '']],
    [outcome({ code: 7, msg: '' }, 3), [7, 'plugin "p" failed with exit status 3: it gave no reason', '']],
    [outcome('', NOT_EXECUTABLE, '/b/p: permission denied\n'), [5, '/b/p: permission denied', '']],
    [outcome('', NOT_EXECUTABLE), [5, 'plugin "p" failed with exit status 126: it said nothing', '']],
    [outcome('', NOT_FOUND, 'a\nb \n'), [999, 'plugin "p" failed with exit status 127: b', '']],
    [outcome(' \n', TIMED_OUT), [11, 'plugin "p" failed with exit status 124: it said nothing', '']],
    [
      outcome('{"half', TIMED_OUT, 'ended'),
      [
        999,
        'plugin "p" failed with exit status 124, but its answer is not the JSON object of an error: "{\\"half"',
        'ended',
      ],
    ],
  ])('with %j is answered with %j', (failed, answer) => {
    expect(refusal(() => mustSucceed('p', failed))).toEqual(answer)
  })

  test('is an error that a runtime can read, whatever it printed', () => {
    const text = fc.oneof(fc.string(), fc.json(), fc.constantFrom('', '\n', 'null', '{}', '{"msg": ""}'))
    const answer = fc
      .record({ code: fc.oneof(fc.double(), fc.integer(), fc.string()), msg: fc.string() })
      .map(it => JSON.stringify(it))
    const code = fc.oneof(fc.constantFrom(NOT_EXECUTABLE, NOT_FOUND, TIMED_OUT), fc.integer({ min: 1, max: 255 }))
    fc.assert(
      fc.property(code, fc.oneof(text, answer), text, (status, stdout, stderr) => {
        const [number, message, details] = refusal(() => mustSucceed('p', outcome(stdout, status, stderr)))
        expect(Number.isSafeInteger(number) && number > 0 && message !== '').toBe(true)
        const printed = JSON.parse(printedError(new CniError(number, message, details))) as object
        expect(printed).toMatchObject({ code: number, msg: message })
      }),
    )
  })
})

test('one that ended with 0 has succeeded, whatever it printed', () => {
  expect(() => mustSucceed('p', outcome({ code: 7, msg: 'no' }, 0, 'careful'))).not.toThrow()
})

describe('the result of a plugin', () => {
  test.each(['null', '{}', ' {"cniVersion": "1.0.0", "dns": {}}\n'])('%j has nothing in it', stdout => {
    expect(resultOf('p', stdout)).toEqual(NO_RESULT)
  })

  test('is used, or refused in one message that is no longer for more problems', () => {
    const ips = Array.from({ length: 10_000 }, () => ({ address: 'x' }))
    const [code, message] = refusal(() => resultOf('p', JSON.stringify({ ips })))
    expect(code).toBe(6)
    expect(message).toMatch(
      /^plugin "p" succeeded, but its result cannot be used: ips\[0\]\.address: "x" .*; and 9988 more$/,
    )
    expect(message.length).toBeLessThan(1500)
  })

  test('is refused with code 6 where it is no object', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), stdout => {
        try {
          expect(resultOf('p', stdout)).toHaveProperty('ips')
        } catch (error) {
          expect(error).toMatchObject({ code: 6, message: expect.stringMatching(/^plugin "p" succeeded, but its /) })
        }
      }),
    )
  })
})
