import { describe, expect, test } from 'vitest'
import { type BindingOptions, type BoundListener, findBindings, hostOf, keyOf, poolOf } from '#proxy/relay/bindings.ts'
import { freePort } from '../../support/local-ports.ts'

const POOL = 'to 10.1.0.1:80 at 127.0.0.1'

function found(wanted: readonly string[], more: Partial<BindingOptions> = {}) {
  return findBindings({
    ...{ family: 'ipv4', range: 'any', open: [], before: new Map(), reserved: new Map() },
    wanted: wanted.map(name => ({ name, pool: POOL })),
    ...more,
  })
}

const bound = (name: string, port: number, family: 'ipv4' | 'ipv6' = 'ipv4') =>
  ({ name, pool: POOL, binding: { protocol: 'tcp', family, host: '127.0.0.1', port } }) as unknown as BoundListener

describe('a listener is bound', () => {
  test('at the address its pool names, with the endpoints it has, under a key of its family', async () => {
    const { found: all, without } = await found(['tcp a', 'udp a'])
    expect(without).toEqual([])
    expect(all).toMatchObject([
      { name: 'tcp a', key: 'ipv4 tcp a', binding: { protocol: 'tcp', family: 'ipv4', host: '127.0.0.1' } },
      { name: 'udp a', key: 'ipv4 udp a', binding: { protocol: 'udp' } },
    ])
    expect(all[0]!.endpoints).toEqual({ endpoints: [{ ip: '10.1.0.1', port: 80, text: '10.1.0.1:80' }] })
  })

  test('at the port it had, or at the one that is reserved for it: rules lead there', async () => {
    const [had, reserved] = [await freePort(), await freePort()]
    const before = new Map([['ipv4 tcp a', { protocol: 'tcp', family: 'ipv4', host: '127.0.0.1', port: had } as const]])
    const { found: all } = await found(['tcp a', 'tcp b'], { before, reserved: new Map([['tcp b', reserved]]) })
    expect(all.map(({ binding: { port } }) => port)).toEqual([had, reserved])
  })

  test('at no port that another has, of the same family and protocol', async () => {
    const port = await freePort()
    const before = new Map([['ipv4 tcp a', { protocol: 'tcp', family: 'ipv4', host: '127.0.0.1', port } as const]])
    const [one] = (await found(['tcp a'], { before, open: [bound('tcp b', port)] })).found
    expect(one!.binding.port).not.toBe(port)
    const [same] = (await found(['tcp a'], { before, open: [bound('tcp b', port, 'ipv6')] })).found
    expect(same!.binding.port).toBe(port)
  })

  test('at no port that is reserved for another', async () => {
    const [first, second] = [await freePort(), await freePort()]
    const range = { first, last: first }
    const reserved = new Map([['tcp gone', first]])
    expect(await found(['tcp a'], { range, reserved })).toEqual({ found: [], without: ['tcp a'] })
    expect((await found(['tcp gone'], { range, reserved })).found).toHaveLength(1)
    expect((await found(['tcp a'], { range: { first: second, last: second }, reserved })).found).toHaveLength(1)
  })

  test('one of them, where a range has one port', async () => {
    const first = await freePort()
    const { found: all, without } = await found(['tcp a', 'tcp b'], { range: { first, last: first } })
    expect([all.map(({ name }) => name), without]).toEqual([['tcp a'], ['tcp b']])
  })
})

describe('a pool', () => {
  test.each([
    ['to 10.1.0.1:80', 'ipv4', '0.0.0.0'],
    ['to [fd00::1]:80', 'ipv6', '::'],
    ['to 10.1.0.1:80 at 10.99.0.2', 'ipv4', '10.99.0.2'],
  ] as const)('"%s" listens at %s: %s', (line, family, host) => expect(hostOf(family, line)).toBe(host))

  test('says for how long clients stay', () => {
    expect(poolOf('to 10.1.0.1:80 [fd00::1]:81 sticky 60')).toEqual({
      endpoints: [
        { ip: '10.1.0.1', port: 80, text: '10.1.0.1:80' },
        { ip: 'fd00::1', port: 81, text: '[fd00::1]:81' },
      ],
      stickySeconds: 60,
    })
  })

  test('that cannot be read is refused with how it must read', () => {
    expect(() => poolOf('10.1.0.1:80')).toThrow('"10.1.0.1:80" must read: to IP:PORT')
  })
})

test('a name says its protocol, and one key is not that of the other family', async () => {
  await expect(found(['sctp a'])).rejects.toThrow('"sctp a" must read: tcp NAME or udp NAME')
  expect(keyOf('ipv4', 'tcp a')).not.toBe(keyOf('ipv6', 'tcp a'))
})
