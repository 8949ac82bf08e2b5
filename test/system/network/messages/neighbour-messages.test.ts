import { describe, expect, test } from 'vitest'
import {
  ALL_NEIGHBOURS,
  deletedNeighbour,
  deletedTunnel,
  neighboursOf,
  setNeighbour,
  setTunnel,
  tunnelsOf,
} from '#system/network/messages/neighbour-messages.ts'
import { ip } from '../../../support/objects.ts'
import { contentOf, contentOfBytes } from './content.ts'

// Beside the messages that `ip neighbour` and `bridge fdb` of iproute2 6.1 sent for the same, and those in which Linux 6.18
// listed what it had.

const MAC = '02:00:00:00:00:09'
const HEADER = 12
const [PERMANENT, NO_ARP] = [0x80, 0x40]

/** Some bits of the state, which the kernel does not look at here, are sent by one and not by the other. */
function said(hex: string, { without = 0 } = {}): object {
  const content = contentOfBytes(hex, HEADER)
  const header = Buffer.from(content.header, 'hex')
  header[8] = header[8]! & ~without
  return { ...content, header: header.toString('hex') }
}

describe('an entry is set, in the place of one that is there, as the commands set it:', () => {
  test('a neighbour of each family', () => {
    expect(contentOf(setNeighbour(4, { address: ip('10.1.0.9'), mac: MAC }))).toEqual(
      said('300000001c0005054f8f0c6b00000000020000000400000080000000080001000a0100090a0002000200000000090000'),
    )
    expect(contentOf(setNeighbour(4, { address: ip('fd00::9'), mac: MAC }))).toEqual(
      said(
        '3c0000001c0005054f8f0c6b000000000a000000040000008000000014000100fd0000000000000000000000000000090a0002000200000000090000',
      ),
    )
  })

  test('a tunnel', () => {
    const hex = '300000001c0005054f8f0c6b000000000700000004000000c00002000a000200020000000009000008000100c0000209'
    expect(contentOf(setTunnel(4, { mac: MAC, host: ip('192.0.2.9') }))).toEqual(said(hex, { without: NO_ARP }))
  })

  test('and deleted', () => {
    expect(contentOf(deletedNeighbour(4, { address: ip('10.1.0.99') }))).toEqual(
      said('240000001d0005004f8f0c6b00000000020000000400000080000000080001000a010063', { without: PERMANENT }),
    )
    const hex = '300000001d0005004f8f0c6b000000000700000004000000c00002000a000200020000000009000008000100c0000209'
    expect(contentOf(deletedTunnel(4, { mac: MAC, host: ip('192.0.2.9') }))).toEqual(
      said(hex, { without: PERMANENT | NO_ARP }),
    )
  })
})

describe('what the kernel lists', () => {
  const neighbours = (hex: string, link = 4) => neighboursOf(Buffer.from(hex, 'hex'), link)
  const tunnels = (hex: string, link = 4) => tunnelsOf(Buffer.from(hex, 'hex'), link)
  const FOUR = '020000000400000080000001080001000a0100090a000200020000000009000008000400000000001400030048000000'
  const SIX = '0a000000040000008000000114000100fd0000000000000000000000000000090a0002000200000000090000'
  const TUNNEL = '070000000400000080000200' + '0a0002000200000000090000' + '08000100c0000209'

  test('are neighbours that were set, of one link', () => {
    expect(neighbours(FOUR)).toEqual([{ address: '10.1.0.9', mac: MAC }])
    expect(neighbours(SIX)).toEqual([{ address: 'fd00::9', mac: MAC }])
    expect(neighbours(FOUR, 3)).toEqual([])
  })

  test('are not neighbours that it has found out, that have no hardware address, or that are entries of a bridge', () => {
    expect(neighbours('020000000400000004000001080001000a0100080a0002000200000000080000')).toEqual([])
    expect(
      neighbours('0a000000040000004000000514000100ff0200000000000000000000000000160a0002003333000000160000'),
    ).toEqual([])
    expect(neighbours('020000000400000080000001080001000a010009')).toEqual([])
    expect(neighbours('020000000400000080000001')).toEqual([])
    expect(neighbours(TUNNEL)).toEqual([])
  })

  test('are tunnels to a host, and not the addresses that a link listens to, or the entry for all others', () => {
    expect(tunnels(TUNNEL)).toEqual([{ mac: MAC, host: '192.0.2.9' }])
    expect(tunnels(TUNNEL, 5)).toEqual([])
    expect(tunnels('0700000004000000800002000a0002003333000000010000')).toEqual([])
    expect(tunnels(TUNNEL.replace('020000000009', '000000000000'))).toEqual([])
    expect(tunnels(FOUR)).toEqual([])
  })

  test('is asked for once for all links, of every family', () =>
    expect(ALL_NEIGHBOURS).toMatchObject({ type: 30, header: Buffer.alloc(HEADER) }))
})
