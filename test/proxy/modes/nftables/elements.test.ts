import { describe, expect, test } from 'vitest'
import { elementUnits } from '#proxy/modes/nftables/elements.ts'
import { containers } from '#proxy/modes/nftables/maps.ts'
import { unitParts } from '#proxy/modes/nftables/names.ts'
import type { SetElement } from '#system/ports.ts'

// Bytes of the kernel → the text of elements.

const said = (name: string, family: 'ipv4' | 'ipv6', element: Omit<SetElement, 'key'> & { readonly hex: string }) => {
  const { types } = containers(family).find(({ unit }) => unitParts(unit).name === name)!
  const { hex, ...rest } = element
  return [...elementUnits(name, types, [{ key: Buffer.from(hex, 'hex'), ...rest }])]
}

describe('an element', () => {
  test('of a map of Services is an address, a protocol and a port, with where they lead', () => {
    expect(
      said('service-ips', 'ipv4', { hex: '0a60de010600000000500000', value: 'goto x', comment: 'a/b:http' }),
    ).toEqual([['element service-ips 10.96.222.1 . tcp . 80', 'comment "a/b:http" : goto x']])
    expect(
      said('service-ips', 'ipv6', {
        hex: 'fd100096000000000000000000000010110000000035 0000'.replace(' ', ''),
        value: 'drop',
      }),
    ).toEqual([['element service-ips fd10:96::10 . udp . 53', ': drop']])
    expect(said('service-nodeports', 'ipv4', { hex: '84000000756c0000', value: 'goto x' })).toEqual([
      ['element service-nodeports sctp . 30060', ': goto x'],
    ])
  })

  test('of a map of endpoints has a number in the order of the machine, and an address and port', () => {
    expect(
      said('endpoints-tcp', 'ipv4', { hex: '0a61236a0050000009000000', value: Buffer.from('0a816c5f1f900000', 'hex') }),
    ).toEqual([['element endpoints-tcp 10.97.35.106 . 80 . 9', ': 10.129.108.95 . 8080']])
  })

  test('of a set has no more than its key, padded or not', () => {
    expect(said('cluster-ips', 'ipv4', { hex: '0a600001' })).toEqual([['element cluster-ips 10.96.0.1', '']])
    expect(said('hairpin', 'ipv4', { hex: '0a8000010a800001' })).toEqual([
      ['element hairpin 10.128.0.1 . 10.128.0.1', ''],
    ])
  })

  test('of another shape is none of ours', () => {
    expect(said('cluster-ips', 'ipv4', { hex: '' })).toEqual([['element cluster-ips ', '']])
    expect([...elementUnits('x', 'ipv4_addr . mark', [{ key: Buffer.from('0a6000010000000a', 'hex') }])]).toEqual([
      ['element x 0a6000010000000a', ''],
    ])
  })
})
