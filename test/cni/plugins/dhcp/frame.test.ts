import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EVERYONE, frameBytes, frameOf } from '#cni/plugins/dhcp/frame.ts'
import { messageBytes } from '#cni/plugins/dhcp/message.ts'
import type { Address } from '#values/address.ts'
import { answerBytes, asFromServer, HARDWARE, SERVER } from './paper-server.ts'

const question = messageBytes({
  kind: 'DISCOVER',
  transaction: 0x01020304,
  secondsSinceStart: 3,
  answer: 'broadcast',
  hardware: HARDWARE,
  options: new Map(),
})

describe('a frame', () => {
  test('has the checksums a kernel wants', () => {
    const bytes = frameBytes({ to: EVERYONE, from: { hardware: HARDWARE }, payload: question })
    expect(sum(bytes.subarray(14, 34))).toBe(0xffff)
    const pseudo = Buffer.concat([bytes.subarray(26, 34), Buffer.from([0, 17]), bytes.subarray(38, 40)])
    expect(sum(Buffer.concat([pseudo, bytes.subarray(34)]))).toBe(0xffff)
  })

  test('to the client comes apart again', () => {
    const payload = answerBytes({})
    expect(frameOf(asFromServer(payload))?.payload).toEqual(payload)
  })

  test('of any length comes apart into what was put into it, behind options of IPv4, too', () => {
    const hardware = fc.uint8Array({ minLength: 6, maxLength: 6 }).map(bytes => Buffer.from(bytes))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), hardware, fc.nat(10), (bytes, from, words) => {
        const payload = Buffer.from(bytes)
        const whole = frameBytes({ to: EVERYONE, from: { hardware: from, address: SERVER }, payload })
        expect(sum(whole.subarray(14, 34))).toBe(0xffff)
        whole.writeUInt16BE(68, 36)
        const options = Buffer.alloc(words * 4, 1)
        const received = Buffer.concat([whole.subarray(0, 34), options, whole.subarray(34), Buffer.alloc(9, 0xee)])
        received[14] = 0x45 + words
        received.writeUInt16BE(whole.length - 14 + options.length, 16)
        expect(frameOf(received)).toEqual({ to: EVERYONE, from: { hardware: from, address: SERVER }, payload })
      }),
    )
  })

  test('of a sender without an address has none', () => {
    const bytes = frameBytes({ to: EVERYONE, from: { hardware: HARDWARE }, payload: question })
    bytes.writeUInt16BE(68, 36)
    expect(frameOf(bytes)?.from).toEqual({ hardware: HARDWARE })
    expect(EVERYONE.address).toBe('255.255.255.255' as Address)
  })

  test('that is cut anywhere is passed over, and so is one that says it is longer than it is', () => {
    const whole = asFromServer(answerBytes({}))
    for (let length = 0; length < whole.length; length++) expect(frameOf(whole.subarray(0, length))).toBeUndefined()
    whole.writeUInt16BE(whole.readUInt16BE(38) + 1, 38)
    expect(frameOf(whole)).toBeUndefined()
  })

  test.each([
    ['to another port', (bytes: Buffer) => void bytes.writeUInt16BE(69, 36)],
    ['of TCP', (bytes: Buffer) => void bytes.writeUInt8(6, 23)],
    ['of IPv6', (bytes: Buffer) => void bytes.writeUInt16BE(0x86dd, 12)],
    ['that is a fragment', (bytes: Buffer) => void bytes.writeUInt16BE(0x2000, 20)],
    ['that is the rest of one', (bytes: Buffer) => void bytes.writeUInt16BE(0x0001, 20)],
    // Its last word would be taken for the ports.
    [
      'with a head that is too short',
      (bytes: Buffer) => {
        bytes[14] = 0x44
        bytes.writeUInt16BE(68, 32)
      },
    ],
    ['whose UDP is shorter than its head', (bytes: Buffer) => void bytes.writeUInt16BE(7, 38)],
    ['that ends within the head of UDP', (bytes: Buffer) => void bytes.writeUInt16BE(25, 16)],
  ])('%s is passed over', (_, change) => {
    const bytes = asFromServer(answerBytes({}))
    change(bytes)
    expect(frameOf(bytes)).toBeUndefined()
  })
})

function sum(bytes: Buffer): number {
  let total = 0
  for (let at = 0; at < bytes.length; at += 2) total += (bytes[at]! << 8) | (bytes[at + 1] ?? 0)
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
  return total
}
