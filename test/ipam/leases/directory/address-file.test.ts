import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentOf, textsOf } from '#ipam/leases/directory/address-file.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { type Address, addressFromNumber, familyOf } from '#values/address.ts'
import { address, holder } from '../../../support/leases.ts'

// Files as host-local and its older versions write them, and as an editor or a crash leaves them.

const read = (texts: Readonly<Record<string, string>>) => contentOf(new Map(Object.entries(texts)))
const lines = (texts: Readonly<Record<string, string>>) =>
  read(texts).files.map(({ address, container, ifname }) => `${address} ${container} ${ifname}`)

test('files are read as they are: line ends of every kind, old files, and what means nothing by name', () => {
  const content = read({
    ...{ '10.9.0.3': 'a\r\neth0', '10.9.0.4': 'b\r\neth0', 'fd00:9::2': 'a\r\neth0', lock: '' },
    ...{ 'last_reserved_ip.0': '10.9.0.4', 'last_reserved_ip.1': 'fd00:9::2', 'last_reserved_ip.2': 'garbage' },
    ...{ '10.9.0.5': 'old', '10.9.0.6': '', fd00__7: 'c\neth1\n', readme: 'x' },
  })
  expect(content.files.map(({ address, container, ifname }) => `${address} ${container} ${ifname}`)).toEqual([
    ...['10.9.0.3 a eth0', '10.9.0.4 b eth0', '10.9.0.5 old ', 'fd00:9::2 a eth0', 'fd00::7 c eth1'],
  ])
  expect([...content.given]).toEqual([
    [0, '10.9.0.4'],
    [1, 'fd00:9::2'],
  ])
  expect(content.problems).toEqual([
    '10.9.0.6: no container is in it, so no DEL would ever free it',
    'readme: the name is no address',
  ])
})

test('an address is known however it is written, and space around a container or interface is none of its name', () => {
  expect(lines({ 'FD00:9:0::A': ' a \r\n eth0 \r\n', '::ffff:10.9.0.7': 'b\n' })).toEqual([
    '10.9.0.7 b ',
    'fd00:9::a a eth0',
  ])
})

test('a name that is nearly an address, or nearly that of a set, is a problem, and no lease', () => {
  const names = ['10.9.0.256', '010.9.0.1', '10.9.0.1/24', '.10.9.0.2.new', 'last_reserved_ip.x', 'last_reserved_ip.']
  const { files, given, problems } = read(Object.fromEntries(names.map(name => [name, 'a\r\neth0'])))
  expect([files, [...given]]).toEqual([[], []])
  expect(problems.toSorted()).toEqual(names.map(name => `${name}: the name is no address`).toSorted())
})

test('a set has a number that a configuration can have', () => {
  const { given, problems } = read({
    'last_reserved_ip.00': '10.9.0.2',
    'last_reserved_ip.99999999999999999999': '10.9.0.3',
    'last_reserved_ip.7': ' 10.9.0.4\n',
  })
  expect([...given]).toEqual([
    [0, '10.9.0.2'],
    [7, '10.9.0.4'],
  ])
  expect(problems).toEqual(['last_reserved_ip.99999999999999999999: the name is no address'])
})

describe('what is written', () => {
  const lease = (ip: Address, container: string, more: Partial<Lease> = {}): Lease => ({
    ...holder(container),
    ...{ address: ip, family: familyOf(ip), set: 0, boot: 'b', state: 'assigned', at: 0, ...more },
  })

  test('is in the words of host-local, with nothing for an address that cools down or a set that gave none', () => {
    const leases = [
      lease(address('10.9.0.2'), 'a'),
      lease(address('10.9.0.3'), 'old', { ifname: '' }),
      lease(address('10.9.0.4'), 'c', { state: 'cooldown', until: 9 }),
    ]
    expect(Object.fromEntries(textsOf(leases, [address('10.9.0.4'), undefined, address('fd00::1')]))).toEqual({
      ...{ '10.9.0.2': 'a\r\neth0', '10.9.0.3': 'old' },
      ...{ 'last_reserved_ip.0': '10.9.0.4', 'last_reserved_ip.2': 'fd00::1' },
    })
  })

  test('is what is read', () => {
    const someAddress = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map(n => addressFromNumber('ipv4', n)),
      fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map(n => addressFromNumber('ipv6', n)),
    )
    const word = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,15}$/)
    const file = fc.record({ address: someAddress, container: word, ifname: fc.oneof(word, fc.constant('')) })
    const files = fc.uniqueArray(file, { selector: one => one.address, maxLength: 8 })
    fc.assert(
      fc.property(files, fc.array(fc.option(someAddress, { nil: undefined }), { maxLength: 4 }), (held, given) => {
        const leases = held.map(one => lease(one.address, one.container, { ifname: one.ifname }))
        const back = contentOf(textsOf(leases, given))
        const byName = (a: { address: string }, b: { address: string }) => (a.address < b.address ? -1 : 1)
        expect(back.files).toEqual(held.toSorted(byName))
        expect([...back.given].toSorted(([a], [b]) => a - b)).toEqual(
          given.flatMap((one, set) => (one === undefined ? [] : [[set, one]])),
        )
        expect(back.problems).toEqual([])
      }),
    )
  })
})
