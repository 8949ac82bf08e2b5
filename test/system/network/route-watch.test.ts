import { expect, test } from 'vitest'
import { textAttribute } from '#system/netlink/message.ts'
import { linkHeader } from '#system/network/messages/link-messages.ts'
import { routeWatchOn } from '#system/network/route-watch.ts'
import { type Datagram, ScriptedSocket } from '../netlink/scripted-socket.ts'

// Notices of links, addresses and routes → whether one of them is of interest to the program whose routes have the number 77.

const [NEWLINK, DELLINK, NEWADDR, DELADDR, NEWROUTE, DELROUTE] = [16, 17, 20, 21, 24, 25]
const OURS = 77

function watching() {
  const socket = new ScriptedSocket()
  const links = new Set(['cni0'])
  const watch = routeWatchOn(socket, { protocol: OURS, links: () => links })
  const heard = (...datagrams: readonly Datagram[]) => {
    socket.arrives(...datagrams)
    return watch.heard()
  }
  return { heard, links, socket, watch }
}

const route = (type: number, { by = 4, table = 254 } = {}) => ({
  type,
  body: Buffer.from([2, 16, 0, 0, table, by, 0, 1, 0, 0, 0, 0]),
})
const link = (type: number, name: string, family = 0) => {
  const header = linkHeader({ index: 3 })
  header[0] = family
  return { type, body: Buffer.concat([header, textAttribute(3, name)]) }
}
const address = (type: number, scope: number) => ({ type, body: Buffer.from([2, 24, 0, scope, 3, 0, 0, 0]) })

test.each([
  ['a route that another program makes', route(NEWROUTE)],
  ['a route that another program deletes', route(DELROUTE)],
  ['one of our own that is deleted', route(DELROUTE, { by: OURS })],
  ['a link we use that comes or changes', link(NEWLINK, 'cni0')],
  ['a link we use that goes', link(DELLINK, 'cni0')],
  ['an address that comes', address(NEWADDR, 0)],
  ['an address that goes', address(DELADDR, 0)],
])('%s is of interest', (_, notice) => expect(watching().heard([notice])).toBe(true))

test.each([
  ['nothing', []],
  ['one of our own routes that comes', [route(NEWROUTE, { by: OURS })]],
  ['a route that the kernel makes for an address', [route(NEWROUTE, { by: 2 }), route(DELROUTE, { by: 2 })]],
  ['a route of another table', [route(DELROUTE, { by: OURS, table: 255 })]],
  ['a link of a pod', [link(NEWLINK, 'veth1'), link(DELLINK, 'veth1'), link(NEWLINK, 'cni')]],
  ['what a bridge says of its port', [link(NEWLINK, 'cni0', 7)]],
  ['an address that counts on its link alone', [address(NEWADDR, 253), address(DELADDR, 253)]],
  ['what is neither', [{ type: 28, body: Buffer.alloc(12) }, { type: 3 }]],
])('%s is not', (_, notices) => expect(watching().heard(notices)).toBe(false))

test('all that has come is read at once, and what was heard is not heard again', () => {
  const { heard } = watching()
  expect(
    heard([route(NEWROUTE, { by: OURS })], [route(NEWROUTE), link(NEWLINK, 'veth1')], [address(NEWADDR, 253)]),
  ).toBe(true)
  expect(heard()).toBe(false)
})

test('notices that were lost may have been of interest', () => {
  expect(watching().heard([route(NEWROUTE, { by: OURS })], 'overflow', [address(NEWADDR, 253)])).toBe(true)
})

test('links are those that are of interest when they are heard of', () => {
  const { heard, links } = watching()
  expect(heard([link(NEWLINK, 'vxlan1')])).toBe(false)
  links.add('vxlan1').add('brücke')
  expect(heard([link(NEWLINK, 'vxlan1')])).toBe(true)
  expect(heard([link(NEWLINK, 'brücke')])).toBe(true)
})

test('a notice that is cut off is none, and the socket is closed with the watch', () => {
  const { heard, socket, watch } = watching()
  expect(heard(Buffer.from('2000000018000000', 'hex'))).toBe(false)
  watch.close()
  expect(socket.closed).toBe(1)
})
