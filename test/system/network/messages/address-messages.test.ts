import { expect, test } from 'vitest'
import { addressesOf, deletedAddress, newAddress } from '#system/network/messages/address-messages.ts'
import { ip } from '../../../support/objects.ts'
import { contentOf, contentOfBytes } from './content.ts'

// Beside the messages that `ip address` of iproute2 6.1 sent for the same.

const said = (hex: string) => contentOfBytes(hex, 8)
const listed = (hex: string) => addressesOf(Buffer.from(hex, 'hex'))

test('an address is added as `ip` adds it, with the broadcast address of its network', () => {
  expect(contentOf(newAddress(4, { address: ip('10.2.0.1'), prefixLength: 24 }))).toEqual(
    said('30000000140005064e8f0c6b000000000218000004000000080002000a020001080001000a020001080004000a0200ff'),
  )
  const narrow = [30, 31, 32].map(bits => contentOf(newAddress(4, { address: ip('10.2.0.1'), prefixLength: bits })))
  expect(narrow.map(({ attributes }) => attributes.find(text => text.startsWith('4=')))).toEqual([
    ...['4=0a020003', undefined, undefined],
  ])
})

test('one of IPv6 is not looked for on the link where that is said, by an attribute that newer flags need', () => {
  const address = { address: ip('fd02::1'), prefixLength: 64 }
  const plain = said(
    '40000000140005064e8f0c6b000000000a4000000400000014000200fd02000000000000000000000000000114000100fd020000000000000000000000000001',
  )
  expect(contentOf(newAddress(4, address))).toEqual(plain)
  expect(contentOf(newAddress(4, { ...address, withoutDad: true })).attributes).toEqual([
    ...plain.attributes,
    '8=02000000',
  ])
  expect(contentOf(deletedAddress(4, address))).toEqual({ ...plain, type: 21, flags: 0 })
})

test('one of the host itself has its scope', () =>
  expect(contentOf(newAddress(1, { address: ip('127.0.0.1'), prefixLength: 8 })).header).toBe('020800fe01000000'))

test('an address that the kernel lists is its own, not that of the other end', () => {
  expect(listed('0220800003000000080001000a090909080002000a0100020800080080000000')).toEqual([
    {
      ...{ link: 3, address: '10.1.0.2', prefixLength: 32, scope: 'global' },
      ...{ isTentative: false, hasDadFailed: false },
    },
  ])
  expect(listed('0a40c0fd0300000014000100fe80000000000000000000000000000108000800c8000000')).toMatchObject([
    { address: 'fe80::1', scope: 'link', isTentative: true, hasDadFailed: true },
  ])
  expect(listed('0218000703000000080002000a010002')).toMatchObject([{ scope: '7' }])
})

test('none is read where there is none, or it is mapped from IPv4', () => {
  expect(listed('0218000003000000')).toEqual([])
  expect(listed('0a7800000300000014000100' + '00000000000000000000ffff01020304')).toEqual([])
})
