import { describe, expect, test } from 'vitest'
import { attributesIn } from '#system/netlink/message.ts'
import type { RouteRequest } from '#system/network/conversation.ts'
import {
  changedLink,
  deletedLink,
  isGone,
  linkOf,
  newBridge,
  newVeth,
  newVlan,
  newVxlan,
} from '#system/network/messages/link-messages.ts'
import { ip } from '../../../support/objects.ts'
import { contentOf, contentOfBytes, parts } from './content.ts'

// Beside the messages that `ip` of iproute2 6.1 sent for the same, and those in which Linux 6.18 listed its links, without
// their statistics.

const HEADER = 16
const said = (hex: string) => contentOfBytes(hex, HEADER)
const [ONE, TWO] = ['02:00:00:00:00:01', '02:00:00:00:00:02']

describe('a link is made as `ip` makes it:', () => {
  test('a bridge', () => {
    expect(detailed(newBridge('cni0', { mtu: 1450, vlanFiltering: true }))).toEqual(
      detailed(
        '5000000010000506b18d0c6b000000000000000000000000000000000000000008000400aa05000009000300636e6930000000001c0012000a00010062726964676500000c0002000500070001000000',
      ),
    )
  })

  test('a VLAN of another link', () => {
    expect(detailed(newVlan('v0.7', { parent: 4, id: 7 }))).toEqual(
      detailed(
        '4c00000010000506b18d0c6b000000000000000000000000000000000000000008000500040000000900030076302e37000000001800120008000100766c616e0c0002000600010007000000',
      ),
    )
  })

  test('a VXLAN', () => {
    const options = { vni: 77, port: 4789, local: ip('10.1.0.1'), mac: '02:00:00:00:00:03', mtu: 1450 }
    expect(detailed(newVxlan('vx', options))).toEqual(
      detailed(
        '7000000010000506b18d0c6b00000000000000000000000000000000000000000a000100020000000003000008000400aa0500000700030076780000340012000900010076786c616e00000024000200080001004d000000080004000a010001050007000000000006000f0012b50000',
      ),
    )
  })

  test('a pair, with each end where it belongs', () => {
    const near = { name: 'a', mac: ONE, mtu: 1400, master: 'v0', state: 'up' } as const
    const ours = newVeth(near, { end: { name: 'b', mac: TWO, mtu: 1300 }, fd: 4 }, 4)
    expect(detailed(ours)).toEqual(
      detailed(
        '8c00000010000506b18d0c6b000000000000000000000000010000000100000008000400780500000a000100020000000001000008000a000400000006000300610000004800120008000100766574683c00020038000100000000000000000000000000000000000a0001000200000000020000080004001405000008001c00040000000600030062000000',
      ),
    )
  })
})

describe('a link is changed as `ip` changes it:', () => {
  test('only the flags that are meant, and each value that is named', () => {
    const change = { state: 'up', mtu: 1400, mac: '02:00:00:00:00:04', promiscuous: 'on', alias: "it's" } as const
    expect(detailed(changedLink(4, { ...change, name: 'w0' }, undefined))).toEqual(
      detailed(
        '4400000010000500b28d0c6b000000000000000004000000010100000101000008000400780500000a000100020000000004000008001400697427730700030077300000',
      ),
    )
    const { header } = contentOf(changedLink(4, { state: 'down', promiscuous: 'off' }, undefined))
    expect(header).toBe('00000000040000000000000001010000')
    expect(contentOf(changedLink(4, {}, undefined))).toMatchObject({
      header: '00000000040000000000000000000000',
      attributes: [],
    })
  })

  test('out of its bridge, and a bridge itself', () => {
    expect(detailed(changedLink(4, { master: null }, 0))).toEqual(
      detailed('28000000100005004e8f0c6b000000000000000004000000000000000000000008000a0000000000'),
    )
    expect(detailed(changedLink(4, { vlanFiltering: 'off' }, undefined))).toEqual(
      detailed(
        '3c000000100005004e8f0c6b00000000000000000400000000000000000000001c0012000a00010062726964676500000c0002000500070000000000',
      ),
    )
  })

  test('is deleted by its number', () =>
    expect(contentOf(deletedLink(258))).toMatchObject({ type: 17, header: '00000000020100000000000000000000' }))
})

describe('a link that the kernel lists', () => {
  const listed = (...hex: readonly string[]) => linkOf(Buffer.from(hex.join(''), 'hex'))
  const VETH = '10001200090001007665746800000000'

  test('is a loopback device that is up, with the state it never has', () => {
    expect(
      listed(
        ...['00000403010000004900010000000000', '070003006c6f0000', '0500100000000000', '0800040000000100'],
        '0a0001000000000000000000',
      ),
    ).toEqual({
      ...{ index: 1, name: 'lo', kind: '', mac: '00:00:00:00:00:00', mtu: 65536 },
      ...{ isUp: true, operState: 'unknown', isPromiscuous: false },
    })
  })

  test('is one end of a pair, with an alias of any characters', () => {
    expect(
      listed(
        ...['00000100030000004311010000000000', '0700030076310000', '0500100006000000', '08000400dc050000'],
        '2000140069742773206120227665746822205c206261636b0974616220c3a900',
        ...['0a0001006a7b458f0ada0000', VETH, '0800050004000000'],
      ),
    ).toEqual({
      ...{ index: 3, name: 'v1', kind: 'veth', mac: '6a:7b:45:8f:0a:da', mtu: 1500, peer: 4 },
      ...{ isUp: true, operState: 'up', isPromiscuous: true, alias: 'it\'s a "veth" \\ back\ttab é' },
    })
  })

  test('is the other end of one whose first is in another namespace, and down', () => {
    expect(
      listed(
        ...['00000100050000000210000000000000', '0700030076320000', '0500100002000000', '08000400dc050000'],
        ...['0a00010032957fcdfe320000', VETH, '0800250000000000', '0800050002000000'],
      ),
    ).toMatchObject({ index: 5, isUp: false, operState: 'down', peer: 2 })
  })

  test('is a VXLAN', () => {
    expect(
      listed(
        ...['00000100080000000210000000000000', '0700030076780000', '08000400aa050000'],
        '3c0012000a00010076786c616e0000002c000200080001004d000000080004000a0100010500050000000000050007000000000006000f0012b50000',
      ),
    ).toMatchObject({ name: 'vx', kind: 'vxlan', vxlan: { vni: 77, port: 4789, local: '10.1.0.1' } })
  })

  test('is a bridge in a bridge, and heeds VLANs or does not', () => {
    const bridge = (filtering: string) =>
      listed('00000100060000000310000000000000', `1c0012000a0001006272696467650000${filtering}`, '08000a0009000000')
    expect(bridge('0c0002000500070001000000')).toMatchObject({ kind: 'bridge', master: 9, isVlanFiltering: true })
    expect(bridge('0c0002000500070000000000')).toMatchObject({ isVlanFiltering: false })
  })

  test('that is cut off anywhere behind its header, or says less, is read as far as it goes', () => {
    const whole = Buffer.from(
      `000001000300000043110100000000000700030076310000050010000600000008000400dc050000${VETH}0800050004000000`,
      'hex',
    )
    for (let length = HEADER; length < whole.length; length++) {
      const state = linkOf(whole.subarray(0, length))
      expect([state.index, state.isUp, state.peer]).toEqual([3, true, undefined])
    }
    expect(linkOf(whole).peer).toBe(4)
  })
})

test('a link is gone when the kernel says so of it, and not when a bridge says it of its port', () => {
  const gone = Buffer.from('00000100050000000210000000000000', 'hex')
  const bridge = Buffer.from('07000100050000000210000000000000', 'hex')
  expect([isGone(17, gone, 5), isGone(17, gone, 6), isGone(16, gone, 5), isGone(17, bridge, 5)]).toEqual([
    ...[true, false, false, false],
  ])
})

/** With what makes a link of its kind opened, and the other end of a pair in it. */
function detailed(message: RouteRequest | string): readonly unknown[] {
  const { attributes, ...rest } = typeof message === 'string' ? said(message) : contentOf(message)
  const [info] = attributes.filter(text => text.startsWith('18='))
  if (info === undefined) return [rest, attributes]
  const opened = new Map(attributesIn(Buffer.from(info.slice(3), 'hex'), 0))
  const data = [...attributesIn(opened.get(2)!, 0)]
  const isPair = opened.get(1)?.toString('latin1').startsWith('veth')
  const end = data.find(() => isPair)?.[1]
  const inside = end === undefined ? parts(opened.get(2)!, 0) : [end.toString('hex', 0, HEADER), ...parts(end, HEADER)]
  return [rest, attributes.filter(text => text !== info), opened.get(1)?.toString('hex').replace(/00$/, ''), inside]
}
