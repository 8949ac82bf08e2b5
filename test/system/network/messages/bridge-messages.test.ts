import fc from 'fast-check'
import { expect, test } from 'vitest'
import { message, messagesIn } from '#system/netlink/message.ts'
import type { RouteRequest } from '#system/network/conversation.ts'
import {
  ALL_VLANS,
  addedVlans,
  bridgePortOf,
  changedPort,
  deletedVlans,
  vlansOf,
} from '#system/network/messages/bridge-messages.ts'
import { linkHeader, linkInfo } from '#system/network/messages/link-messages.ts'
import { contentOf, contentOfBytes } from './content.ts'

// Beside the messages that `bridge` of iproute2 6.1 sent for the same. The kernel answers with VLANs in the form in which it
// takes them.

const said = (hex: string) => contentOfBytes(hex, 16)
const PORT = { index: 4, kind: 'veth' }
const vlan = (id: number, more: object = {}) => ({ id, isUntagged: false, isPvid: false, ...more })

/** As the body in which the kernel would answer. */
function bodyOf(request: RouteRequest): Buffer {
  const [one] = [...messagesIn(message({ flags: 0, sequence: 1, ...request }))]
  return one!.body
}

test('VLANs are added as `bridge vlan` adds them: one, a run, and those of a bridge itself', () => {
  expect(contentOf(addedVlans(PORT, [vlan(5, { isUntagged: true, isPvid: true })]))).toEqual(
    said('2c000000130005004f8f0c6b00000000070000000400000000000000000000000c001a000800020006000500'),
  )
  expect(
    contentOf(
      addedVlans(
        PORT,
        [9, 5, 7, 6, 8].map(id => vlan(id)),
      ),
    ),
  ).toEqual(
    said('34000000130005004f8f0c6b000000000700000004000000000000000000000014001a0008000200080005000800020010000900'),
  )
  expect(contentOf(addedVlans({ index: 4, kind: 'bridge' }, [vlan(5)]))).toEqual(
    said('34000000130005004f8f0c6b000000000700000004000000000000000000000014001a0006000000020000000800020000000500'),
  )
})

test('and deleted, and asked for', () => {
  const run = Array.from({ length: 101 }, (_, i) => vlan(100 + i))
  expect(contentOf(deletedVlans(PORT, run))).toEqual(
    said('34000000110005004f8f0c6b000000000700000004000000000000000000000014001a000800020008006400080002001000c800'),
  )
  expect(contentOf({ flags: 0x300, ...ALL_VLANS })).toEqual(
    said('28000000120001034f8f0c6b000000000700000000000000000000000000000008001d0004000000'),
  )
})

test('what is written is read: every VLAN with its flags, of that link alone', () => {
  const vlans = fc.uniqueArray(
    fc.record({ id: fc.integer({ min: 1, max: 40 }), isUntagged: fc.boolean(), isPvid: fc.boolean() }),
    { selector: ({ id }) => id, maxLength: 60 },
  )
  fc.assert(
    fc.property(vlans, fc.constantFrom('bridge', 'veth'), (list, kind) => {
      const body = bodyOf(addedVlans({ index: 7, kind }, list))
      expect(vlansOf(body, 7)).toEqual(list.toSorted((a, b) => a.id - b.id))
      expect(vlansOf(body, 8)).toEqual([])
    }),
  )
  const run = [5, 6, 7, 8, 9].map(id => vlan(id))
  expect(vlansOf(bodyOf(addedVlans(PORT, run)), 4)).toEqual(run)
  const all = Array.from({ length: 4094 }, (_, i) => vlan(i + 1, { isUntagged: i % 2 === 0 }))
  expect(vlansOf(bodyOf(addedVlans(PORT, all)), 4)).toEqual(all)
})

test('a port says its state, and what it does with frames; a link that is none says nothing', () => {
  const listed = (slave: string) => Buffer.concat([linkHeader({ index: 4 }), linkInfo([Buffer.from(slave, 'hex')])])
  const kind = '0b0004006272696467650000'
  const port = (state: string, hairpin: string, isolated: string) =>
    `${kind}1c000500050001000${state}00000005000400${hairpin}00000005002100${isolated}000000`
  expect(bridgePortOf(listed(port('3', '01', '00')))).toEqual({
    ...{ state: 'forwarding', hasHairpin: true, isIsolated: false },
  })
  expect(bridgePortOf(listed(port('0', '00', '01')))).toEqual({
    state: 'disabled',
    hasHairpin: false,
    isIsolated: true,
  })
  expect(bridgePortOf(listed(port('9', '00', '00')))?.state).toBe('9')
  expect(bridgePortOf(listed('08000400626f6e64'))).toBeUndefined()
  expect(bridgePortOf(linkHeader({ index: 4 }))).toBeUndefined()
})

test('a port is changed by its name, and only in what is named', () => {
  const kind = '0b00040062726964676500'
  expect(contentOf(changedPort('v0', { hairpin: 'on', isolated: 'off' }))).toEqual({
    ...{ type: 16, flags: 0, header: '0'.repeat(32) },
    attributes: [`18=${kind}00${'14000500'}${'0500040001000000'}${'0500210000000000'}`, '3=763000'],
  })
  expect(contentOf(changedPort('v0', { isolated: 'on' })).attributes[0]).toBe(`18=${kind}000c0005000500210001000000`)
})
