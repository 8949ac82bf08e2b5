import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frameOf } from '#cni/plugins/dhcp/frame.ts'
import { answerOf, type DhcpMessage, messageBytes, OPTION } from '#cni/plugins/dhcp/message.ts'
import { answerBytes, asFromServer, HARDWARE } from './paper-server.ts'

const question: DhcpMessage = {
  kind: 'DISCOVER',
  transaction: 0x01020304,
  secondsSinceStart: 3,
  answer: 'broadcast',
  hardware: HARDWARE,
  options: new Map([[OPTION.clientId, Buffer.from('\0c1/net/eth0')]]),
}

describe('a question', () => {
  test('is what RFC 2131 draws, and not shorter than relays of old want', () => {
    const bytes = messageBytes(question)
    expect(bytes.length).toBe(300)
    expect(bytes.subarray(0, 12).toString('hex')).toBe('010106000102030400038000')
    expect(bytes.subarray(28, 34)).toEqual(HARDWARE)
    expect(bytes.subarray(236, 243).toString('hex')).toBe('63825363350101')
    expect(bytes[243]).toBe(61)
  })

  test('a value longer than one option goes on in the next', () => {
    const value = Buffer.alloc(300, 7)
    const bytes = answerBytes({ options: new Map([[200, value]]) })
    expect(answerOf(bytes)?.options.get(200)).toEqual(value)
  })
})

describe('an answer', () => {
  test.each([
    ['of a client', messageBytes(question)],
    ['without its cookie', answerBytes({}).fill(0, 236, 240)],
    ['cut within its head', answerBytes({}).subarray(0, 200)],
    [
      'with an option that is longer than the message',
      Buffer.concat([answerBytes({}).subarray(0, 243), Buffer.from([51, 200, 1])]),
    ],
    ['without a kind', Buffer.concat([answerBytes({}).subarray(0, 240), Buffer.from([255])])],
  ])('%s is none', (_, bytes) => {
    expect(answerOf(bytes)).toBeUndefined()
  })

  test('options may go on in the fields of the boot file and the server name', () => {
    const bytes = Buffer.concat([answerBytes({ options: new Map([[OPTION.overload, Buffer.from([3])]]) })])
    bytes.set([58, 4, 0, 0, 0, 9, 255], 108)
    bytes.set([59, 4, 0, 0, 0, 8, 255], 44)
    const options = answerOf(bytes)!.options
    expect(options.get(58)?.readUInt32BE()).toBe(9)
    expect(options.get(59)?.readUInt32BE()).toBe(8)
  })

  test('whatever bytes come, nothing throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(300), (bytes, at) => {
        const whole = answerBytes({})
        whole.set(bytes.subarray(0, Math.max(0, whole.length - at)), Math.min(at, whole.length))
        answerOf(whole)
        answerOf(Buffer.from(bytes))
        frameOf(Buffer.from(bytes))
        frameOf(asFromServer(Buffer.from(bytes)))
      }),
    )
  })
})
