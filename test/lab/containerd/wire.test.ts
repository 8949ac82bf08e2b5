import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encoded, WireMessage } from '#lab/containerd/wire.ts'

test('fields are written as the format has them', () => {
  expect(encoded({ 1: 150 }).toString('hex')).toBe('089601')
  expect(encoded({ 2: 'testing' }).toString('hex')).toBe('120774657374696e67')
  expect(encoded({ 3: { 1: 150 } }).toString('hex')).toBe('1a03089601')
  expect(encoded({ 4: [{ 1: 1 }, { 1: 2 }] }).toString('hex')).toBe('220208012202' + '0802')
  expect(encoded({ 16: 1 }).toString('hex')).toBe('800101')
})

test('what was written is read again', () => {
  const anyMessage = fc.record({ number: fc.nat(), text: fc.string(), inner: fc.array(fc.nat({ max: 300 })) })
  fc.assert(
    fc.property(anyMessage, ({ number, text, inner }) => {
      const message = new WireMessage(encoded({ 1: number, 7: text, 20: inner.map(one => ({ 2: one })) }))
      expect([message.number(1), message.text(7)]).toEqual([number, text])
      expect(message.messages(20).map(one => one.number(2))).toEqual(inner)
    }),
  )
})

test('an absent field has its default, and fields that no reader asks for are passed over', () => {
  const fixed = Buffer.from(`09${'00'.repeat(8)}15${'00'.repeat(4)}1a0161`, 'hex')
  const message = new WireMessage(fixed)
  expect(message.text(3)).toBe('a')
  expect([message.number(9), message.text(9), message.message(9).text(1), message.messages(9)]).toEqual([0, '', '', []])
})

test('bytes that are no message are refused', () => {
  expect(() => new WireMessage(Buffer.from('1205', 'hex'))).toThrow('ends within a field')
  expect(() => new WireMessage(Buffer.from('08ff', 'hex'))).toThrow('ends within a number')
  expect(() => new WireMessage(Buffer.from('0b', 'hex'))).toThrow('wire type 3')
})
