import { expect } from 'vitest'
import type { Listeners } from '#proxy/relay/listeners.ts'

// What listeners do, each with a host of its own addresses: opened, changed, closed, refused, and what clients find at them.

/** Where the listeners are. */
export interface ListenersHost {
  /** Two of its IPv4 addresses. */
  readonly host: string
  readonly otherHost: string
  /** Endpoints of TCP, as a pool names them, that answer with their names. */
  readonly endpoints: Readonly<Record<'one' | 'two', string>>
  /** The name of the endpoint that a client reaches over TCP; `refused` where none listens. */
  whoAnswers(host: string, port: number): Promise<string>
}

type ListenerCase = (listeners: Listeners, host: ListenersHost) => Promise<void>

/** An address for documentation, which no host has. */
const NOWHERE = '192.0.2.1'
const ENDS = 'to 10.244.1.3:8080 10.244.1.4:8080'
const [CART, DNS] = ['tcp shop/cart:http', 'udp shop/dns']

export const LISTENER_CASES: Readonly<Record<string, ListenerCase>> = {
  async 'each is opened at a port of its own, and listed word for word'(listeners, { host }) {
    expect(listeners.list('ipv4')).toEqual([])
    const wanted = [
      { name: CART, pool: `${ENDS} sticky 10800 at ${host}` },
      { name: 'tcp shop/web', pool: ENDS },
      { name: DNS, pool: ENDS },
    ]
    await listeners.open('ipv4', wanted)
    const open = listeners.list('ipv4')
    expect(sorted(open.map(({ name, pool }) => ({ name, pool })))).toEqual(sorted(wanted))
    const ports = open.filter(({ name }) => name.startsWith('tcp ')).map(({ port }) => port)
    expect(new Set(ports).size).toBe(2)
    expect(open.filter(({ port }) => !(port > 0 && port < 65_536))).toEqual([])
  },

  async 'those of the other family are others, under the same names'(listeners) {
    await listeners.open('ipv4', [{ name: CART, pool: ENDS }])
    await listeners.open('ipv6', [{ name: CART, pool: 'to [fd00:244:1::3]:8080 at ::1' }])
    expect(listeners.list('ipv6')).toMatchObject([{ name: CART, pool: 'to [fd00:244:1::3]:8080 at ::1' }])
    expect(await listeners.close('ipv6', [CART])).toHaveLength(1)
    expect(listeners.list('ipv6')).toEqual([])
    expect(listeners.list('ipv4')).toMatchObject([{ name: CART, pool: ENDS }])
  },

  async 'one that is opened again has its port, and the pool that is said last'(listeners, { host }) {
    const port = await opened(listeners, CART, `${ENDS} at ${host}`)
    expect(await opened(listeners, CART, `${ENDS} at ${host}`)).toBe(port)
    expect(await opened(listeners, CART, `to 10.244.1.5:8080 sticky 5 at ${host}`)).toBe(port)
    expect(listeners.list('ipv4')).toHaveLength(1)
  },

  async 'one that goes to another address has its port there'(listeners, { host, otherHost }) {
    const port = await opened(listeners, CART, `${ENDS} at ${host}`)
    expect(await opened(listeners, CART, `${ENDS} at ${otherHost}`)).toBe(port)
  },

  async 'those that were open are returned when they are closed'(listeners) {
    await listeners.open('ipv4', [
      { name: CART, pool: ENDS },
      { name: DNS, pool: ENDS },
    ])
    const open = listeners.list('ipv4').filter(({ name }) => name === CART)
    expect(await listeners.close('ipv4', [CART, 'tcp shop/other'])).toEqual(open)
    expect(listeners.list('ipv4')).toMatchObject([{ name: DNS }])
    expect(await listeners.close('ipv4', [CART])).toEqual([])
  },

  async 'one that cannot be opened is not listed, and the others are'(listeners, { host }) {
    await listeners.open('ipv4', [
      { name: CART, pool: `${ENDS} at ${NOWHERE}` },
      { name: DNS, pool: `${ENDS} at ${host}` },
    ])
    expect(listeners.list('ipv4')).toMatchObject([{ name: DNS }])
    await opened(listeners, CART, `${ENDS} at ${host}`)
  },

  async 'one that is to go to an address that is not there is closed'(listeners, { host }) {
    await opened(listeners, CART, `${ENDS} at ${host}`)
    await listeners.open('ipv4', [{ name: CART, pool: `${ENDS} at ${NOWHERE}` }])
    expect(listeners.list('ipv4')).toEqual([])
  },

  async 'a pool that cannot be read is refused, and none of those with it is opened'(listeners) {
    const wanted = [
      { name: DNS, pool: ENDS },
      { name: CART, pool: 'to nowhere' },
    ]
    await expect(listeners.open('ipv4', wanted)).rejects.toThrow('"to nowhere" must read: to IP:PORT')
    expect(listeners.list('ipv4')).toEqual([])
  },

  async 'a pool that cannot be read changes nothing of one that is open'(listeners) {
    await opened(listeners, CART, ENDS)
    const before = listeners.list('ipv4')
    await expect(listeners.open('ipv4', [{ name: CART, pool: 'to nowhere' }])).rejects.toThrow('must read')
    expect(listeners.list('ipv4')).toEqual(before)
  },

  async 'a name without a protocol is refused'(listeners) {
    const wanted = [{ name: 'shop/cart', pool: ENDS }]
    await expect(listeners.open('ipv4', wanted)).rejects.toThrow('"shop/cart" must read: tcp NAME or udp NAME')
    expect(listeners.list('ipv4')).toEqual([])
  },

  async 'a client reaches the endpoints of the pool, and after a change the new ones'(listeners, subject) {
    const { host, endpoints } = subject
    const port = await opened(listeners, CART, `to ${endpoints.one} at ${host}`)
    expect(await subject.whoAnswers(host, port)).toBe('one')
    await listeners.open('ipv4', [{ name: CART, pool: `to ${endpoints.two} at ${host}` }])
    expect(await subject.whoAnswers(host, port)).toBe('two')
  },

  async 'a client is answered at every address where the pool says none'(listeners, subject) {
    const port = await opened(listeners, CART, `to ${subject.endpoints.one}`)
    expect(await subject.whoAnswers(subject.host, port)).toBe('one')
    expect(await subject.whoAnswers(subject.otherHost, port)).toBe('one')
  },

  async 'a client is refused where a listener has gone or closed'(listeners, subject) {
    const { host, otherHost, endpoints } = subject
    const port = await opened(listeners, CART, `to ${endpoints.one} at ${host}`)
    expect(await opened(listeners, CART, `to ${endpoints.one} at ${otherHost}`)).toBe(port)
    expect(await subject.whoAnswers(otherHost, port)).toBe('one')
    expect(await subject.whoAnswers(host, port)).toBe('refused')
    await listeners.close('ipv4', [CART])
    expect(await subject.whoAnswers(otherHost, port)).toBe('refused')
  },
}

/** Opens it, or gives it another pool; returns its port. */
async function opened(listeners: Listeners, name: string, pool: string): Promise<number> {
  await listeners.open('ipv4', [{ name, pool }])
  const found = listeners.list('ipv4').find(listener => listener.name === name)
  expect(found).toMatchObject({ pool })
  return found!.port
}

function sorted<T extends { readonly name: string }>(some: readonly T[]): readonly T[] {
  return some.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
