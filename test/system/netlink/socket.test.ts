import { closeSync, openSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DONE, DUMP, message, messagesIn, REQUEST } from '#system/netlink/message.ts'
import { type NetlinkSocket, openNetlink } from '#system/netlink/socket.ts'

// Sockets to the real kernel, of which links may be asked without any right.

const LINKS = message({ type: 18, flags: REQUEST | DUMP, sequence: 5, header: Buffer.alloc(16) })

function opened(more: object = {}): NetlinkSocket {
  const socket = openNetlink({ protocol: 0, ...more })
  if (socket === undefined) throw new Error('the kernel gave no socket')
  return socket
}

/** The types of all messages that are there, read by read. */
function received(socket: NetlinkSocket): readonly number[] {
  const types: number[] = []
  for (let got = socket.receive(); got !== 'nothing'; got = socket.receive()) {
    if (got !== 'overflow') types.push(...[...messagesIn(got.bytes)].map(({ type }) => type))
  }
  return types
}

test('what is asked is answered within sending and receiving, and then there is nothing', () => {
  const socket = opened({ readBytes: 32 * 1024, receiveBytes: 1 << 20, features: [11, 10, 12] })
  expect(received(socket)).toEqual([])
  expect(socket.send(LINKS)).toBe(0)
  const types = received(socket)
  expect(new Set(types)).toEqual(new Set([16, DONE]))
  expect(types.at(-1)).toBe(DONE)
  socket.close()
})

test('what is sent aside is answered when it has been sent', async () => {
  const socket = opened()
  await socket.sendAside(LINKS)
  expect(received(socket).at(-1)).toBe(DONE)
  socket.close()
})

test('an arrival is something, or nothing when the time is over', async () => {
  const socket = opened({ waitMs: 20 })
  expect(await socket.arrival()).toBe('nothing')
  socket.send(LINKS)
  expect(await socket.arrival()).toBe('something')
  socket.close()
  expect(await socket.arrival()).toBe('broken')
})

test('sockets of one namespace know it by one name', () => {
  const [one, other] = [opened(), opened()]
  expect(one.namespaceCookie()).toMatch(/^[0-9a-f]{16}$/)
  expect(other.namespaceCookie()).toBe(one.namespaceCookie())
  one.close()
  other.close()
})

test('there is none for a protocol or a namespace that is not there', () => {
  expect(openNetlink({ protocol: 9999 })).toBeUndefined()
  expect(openNetlink({ protocol: 0, namespace: '/run/netns/never-was' })).toBeUndefined()
})

test('one that is closed neither sends nor receives: its number may be that of another file by now', async () => {
  const socket = opened()
  socket.send(LINKS)
  socket.close()
  const files = Array.from({ length: 4 }, () => openSync('/dev/null', 'r+'))
  expect(socket.receive()).toBe('nothing')
  expect(socket.send(LINKS)).toBe(9)
  for (const file of files) closeSync(file)
  expect(socket.namespaceCookie()).toBeUndefined()
  await expect(socket.sendAside(LINKS)).rejects.toMatchObject({ code: 'EBADF' })
})

test('is closed once, so that the file which has its number next stays open', () => {
  const socket = opened()
  socket.close()
  const file = openSync('/dev/null', 'r')
  socket.close()
  socket.closeAside()
  closeSync(file)
})

test.each(['close', 'closeAside'] as const)('%s waits for what is being sent aside', async close => {
  const socket = opened()
  const sent = socket.sendAside(LINKS)
  socket[close]()
  await sent
  expect(socket.send(LINKS)).toBe(9)
})
