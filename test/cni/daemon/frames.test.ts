import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answerBytes, callBytes, LARGEST_CALL, readCall } from '#cni/daemon/frames.ts'

// What goes over the daemon's socket, byte by byte.

const CALL = { plugin: 'bridge', env: { CNI_COMMAND: 'ADD', CNI_ARGS: 'A=1;B=2=3' }, stdin: '{"name":"n\u0000\u00e9"}' }
const word = fc.string({ unit: 'grapheme' }).filter(text => !text.includes('\0'))

describe('a call', () => {
  test('is read as it was written, whatever stands in it', () => {
    const name = word.filter(text => text !== '' && !text.includes('=') && text !== '__proto__')
    const calls = fc.record({
      plugin: word.filter(text => text !== ''),
      env: fc.dictionary(name, word),
      stdin: fc.string(),
    })
    fc.assert(
      fc.property(calls, call => {
        expect(readCall(callBytes(call))).toEqual({ call: { ...call, env: { ...call.env } } })
      }),
    )
  })

  test('is incomplete up to its last byte', () => {
    const bytes = callBytes(CALL)
    for (let length = 0; length < bytes.length; length += 1)
      expect(readCall(bytes.subarray(0, length))).toBe('incomplete')
    expect(readCall(bytes)).toEqual({ call: CALL })
  })

  const framed = (text: string): Buffer => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.byteLength(text))
    return Buffer.concat([length, Buffer.from(text)])
  }

  test.each([
    [framed('1\0bridge\0\0{}'), 'a helper that speaks version "1"; this is 2'],
    [framed('2\0\0{}'), 'a call without the name of a plugin'],
    [framed('\0{}'), 'a helper that speaks version ""; this is 2'],
    [framed('2\0bridge'), 'a call whose strings have no end'],
    [Buffer.concat([framed('2\0bridge\0\0{}'), Buffer.from('g')]), 'bytes after the end of the call'],
    [Buffer.from([0x7f, 0, 0, 0]), `a call of 2130706432 bytes; at most ${LARGEST_CALL} are read`],
  ])('that makes no sense says why: %j', (bytes, problem) => {
    expect(readCall(bytes)).toEqual({ problem })
  })
})

test('an answer is its status, the lengths of both texts in bytes, and the texts', () => {
  const bytes = answerBytes({ code: 1, stdout: 'é', stderr: 'abc' })
  expect(bytes.toString('latin1')).toBe('=\0\0\0\x01\0\0\0\x02\0\0\0\x03\xc3\xa9abc')
})
