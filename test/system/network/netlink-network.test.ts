import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import {
  attributesIn,
  DONE,
  ERROR,
  type Message,
  numberAttribute,
  textAttribute,
  textOf,
} from '#system/netlink/message.ts'
import type { HeldNamespace } from '#system/netlink/namespace.ts'
import { Conversation } from '#system/network/conversation.ts'
import { linkHeader } from '#system/network/messages/link-messages.ts'
import { NetlinkNetwork } from '#system/network/netlink-network.ts'
import { cidr, ip } from '../../support/objects.ts'
import { type Datagram, errorBody, ScriptedSocket } from '../netlink/scripted-socket.ts'

// What a network asks of the kernel, and what it refuses by itself: with a kernel that has some links and does what it is asked.
// What the real one makes of it is proven by what Networks promise.

const [NEWLINK, GETLINK] = [16, 18]
const DUMP = 0x300

function network({ refuses = 0 } = {}) {
  const links = new Map([
    ['lo', 1],
    ['cni0', 3],
  ])
  const asked: Message[] = []
  const held: { path: string; closed: number }[] = []
  const state = (name: string): Datagram => {
    const body = Buffer.concat([
      linkHeader({ index: links.get(name)! }),
      textAttribute(3, name),
      numberAttribute(4, 1500),
    ])
    return [{ type: NEWLINK, body }]
  }
  const socket = new ScriptedSocket(one => {
    asked.push(one)
    if ((one.flags & DUMP) === DUMP && one.type >= GETLINK) {
      const all = one.type === GETLINK ? [...links.keys()].map(state) : []
      return [...all, [{ type: DONE, body: errorBody(0) }]]
    }
    if (one.type !== GETLINK) return [[{ type: ERROR, body: errorBody(refuses) }]]
    const name = textOf(new Map(attributesIn(one.body, 16)).get(3)!)
    return [links.has(name) ? state(name) : [{ type: ERROR, body: errorBody(19) }]]
  })
  const hold = (path: string): HeldNamespace => {
    const one = { path, closed: 0, fd: 9 }
    held.push(one)
    return { fd: 9, close: () => one.closed++ } as unknown as HeldNamespace
  }
  const subject = new NetlinkNetwork({ namespace: undefined, conversation: new Conversation(socket), hold })
  const types = () => asked.splice(0).map(({ type }) => type)
  return { network: subject, links, asked, types, held, socket }
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    error => (error as NodeJS.ErrnoException).code,
  )

describe('a link is found by its name', () => {
  test('once in a turn, however often it is used, and anew in the next', async () => {
    const { network: one, links, types } = network()
    const add = (n: number) => one.addAddress('cni0', { address: ip(`10.0.0.${n}`), prefixLength: 24 })
    await add(1)
    await add(2)
    expect(types()).toEqual([GETLINK, 20, 20])
    await setImmediate()
    await setImmediate()
    links.set('cni0', 7)
    await add(3)
    expect(types()).toEqual([GETLINK, 20])
  })

  test('and anew where one was renamed or deleted', async () => {
    const { network: one, types } = network()
    await one.changeLink('cni0', { name: 'cni1' })
    await one.addRoute({ destination: cidr('10.0.0.0/8'), link: 'cni0' })
    expect(types()).toEqual([GETLINK, NEWLINK, GETLINK, 24])
  })

  test('that is not there', async () => {
    const { network: one, types } = network()
    expect(await one.link('eth9')).toBeUndefined()
    expect(await one.bridgePort('eth9')).toBeUndefined()
    expect(await one.deleteLink('eth9')).toBe(false)
    expect(types()).toEqual([GETLINK, GETLINK, GETLINK])
    const uses = [
      one.changeLink('eth9', { state: 'up' }),
      one.changeLink('cni0', { master: 'eth9' }),
      one.addVlan('v', { parent: 'eth9', id: 5 }),
      one.addVeth({ name: 'a', master: 'eth9' }, { name: 'b' }),
      one.vlans('eth9'),
      one.addVlans('eth9', []),
      one.addresses('eth9'),
      one.deleteAddress('eth9', { address: ip('10.0.0.1'), prefixLength: 24 }),
      one.addRoute({ destination: cidr('10.0.0.0/8'), link: 'eth9' }),
    ]
    expect(new Set(await Promise.all(uses.map(codeOf)))).toEqual(new Set(['ENODEV']))
    // Nothing was changed.
    expect(new Set(types())).toEqual(new Set([GETLINK]))
  })
})

describe('a name that no kernel takes', () => {
  test.each(['', '.', '..', 'a/b', 'a b', 'a:b', 'veth%d', 'a-name-of-16-byt', 'a\0b'])(
    'is of no link, and makes none: %j',
    async name => {
      const { network: one, asked } = network()
      expect([await one.link(name), await one.deleteLink(name), await one.bridgePort(name)]).toEqual([
        ...[undefined, false, undefined],
      ])
      const made = [
        one.addBridge(name, {}),
        one.addVeth({ name }, { name: 'b' }),
        one.addVeth({ name: 'a' }, { name }),
        one.addVlan(name, { parent: 'cni0', id: 5 }),
        one.addVxlan(name, { vni: 1, port: 1, mac: '02:00:00:00:00:01', mtu: 1450 }),
        one.changeLink('cni0', { name }),
        one.changeBridgePort(name, { hairpin: 'on' }),
      ]
      expect(await Promise.all(made.map(codeOf))).toEqual(made.map(() => 'EINVAL'))
      expect(asked).toEqual([])
    },
  )

  test('nor a hardware address that is none', async () => {
    const { network: one, asked } = network()
    const made = ['', '02:00:00:00:00', '02:00:00:00:00:0g', '02-00-00-00-00-01'].flatMap(mac => [
      one.addVeth({ name: 'a', mac }, { name: 'b' }),
      one.addVeth({ name: 'a' }, { name: 'b', mac }),
      one.changeLink('cni0', { mac }),
      one.addVxlan('v', { vni: 1, port: 1, mac, mtu: 1450 }),
    ])
    expect(new Set(await Promise.all(made.map(codeOf)))).toEqual(new Set(['EINVAL']))
    expect(asked).toEqual([])
  })
})

describe('a pair into another namespace', () => {
  test('holds the namespace until it is made, or refused', async () => {
    for (const refuses of [0, 17]) {
      const { network: one, held } = network({ refuses })
      const made = codeOf(one.addVeth({ name: 'a' }, { name: 'b', namespace: '/run/netns/pod' }))
      expect(await made).toBe(refuses === 0 ? undefined : 'EEXIST')
      expect(held).toMatchObject([{ path: '/run/netns/pod', closed: 1 }])
    }
  })

  test('does not hold it where something else is wrong', async () => {
    const { network: one, held } = network()
    await codeOf(one.addVeth({ name: 'a', master: 'eth9' }, { name: 'b', namespace: '/run/netns/pod' }))
    expect(held.every(({ closed }) => closed === 1)).toBe(true)
  })
})

test('no VLANs are no message', async () => {
  const { network: one, types } = network()
  await one.addVlans('cni0', [])
  await one.deleteVlans('cni0', [])
  expect(types()).toEqual([GETLINK, GETLINK])
  await one.addVlans('cni0', [{ id: 5, isPvid: false, isUntagged: false }])
  expect(types()).toEqual([GETLINK, 19])
})

test('what is not there is not deleted; other refusals stay refusals', async () => {
  const address = (refuses: number) =>
    network({ refuses }).network.deleteAddress('cni0', { address: ip('10.0.0.1'), prefixLength: 24 })
  const route = (refuses: number) => network({ refuses }).network.deleteRoute({ destination: cidr('10.0.0.0/8') })
  expect([await address(0), await address(99), await codeOf(address(3))]).toEqual([true, false, 'ESRCH'])
  expect([await route(0), await route(3), await codeOf(route(99))]).toEqual([true, false, 'EADDRNOTAVAIL'])
})

test('a change to a bridge of none takes the link out, and one that names none leaves it in', async () => {
  const masters = async (change: object) => {
    const { network: one, asked } = network()
    await one.changeLink('cni0', change)
    return new Map(attributesIn(asked.at(-1)!.body, 16)).get(10)?.readUInt32LE()
  }
  expect([await masters({ master: null }), await masters({ master: 'lo' }), await masters({})]).toEqual([
    0,
    1,
    undefined,
  ])
})

test('the socket is closed with the network', () => {
  const { network: one, socket } = network()
  one.close()
  expect(socket.closed).toBe(1)
})
