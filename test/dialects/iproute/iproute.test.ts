import { expect, test } from 'vitest'
import { commandRefusal } from '#dialects/iproute/refusals.ts'
import { insideNamespace, jsonOf } from '#dialects/iproute/words.ts'

const refused = (stderr: string): string => commandRefusal({ code: 2, stdout: '', stderr }).code

test('what the tools say is the kernel’s word again', () => {
  const sayings = {
    'RTNETLINK answers: File exists': 'EEXIST',
    'Error: ipv4: Address already assigned.': 'EEXIST',
    'Cannot find device "veth1"': 'ENODEV',
    'Device "veth1" does not exist.': 'ENODEV',
    'Cannot find bridge device "veth1"': 'ENODEV',
    'Error: ipv6: address not found.': 'EADDRNOTAVAIL',
    'RTNETLINK answers: Cannot assign requested address': 'EADDRNOTAVAIL',
    'RTNETLINK answers: No such process': 'ESRCH',
    'Error: argument "cni9" is wrong: Device does not exist': 'ENODEV',
    'Error: ipv4: Device not found.': 'ENODEV',
    'Error: FIB table does not exist.': 'ESRCH',
    'Error: Device for nexthop is not up.': 'ENETDOWN',
    'Error: Nexthop has invalid gateway.': 'ENETUNREACH',
    'RTNETLINK answers: Operation not permitted': 'EPERM',
    'nsenter: cannot open /run/netns/blue: No such file or directory': 'ENOENT',
    'Error: argument "/run/netns/blue" is wrong: Invalid "netns" value': 'ENOENT',
    "nsenter: reassociate to namespace 'ns/net' failed: Invalid argument": 'EINVAL',
    'ip: not found in PATH': 'ENOSYS',
    'nsenter: failed to execute ip: No such file or directory': 'ENOSYS',
    'Error: something this program has never heard.': 'EINVAL',
  }
  for (const [stderr, code] of Object.entries(sayings)) expect([stderr, refused(stderr)]).toEqual([stderr, code])
})

test('its first sentence is what is said of it', () => {
  const said = (stderr: string): string => commandRefusal({ code: 2, stdout: '', stderr }).said
  expect(said('\nError: mtu less than device minimum.\n')).toBe('mtu less than device minimum')
  expect(said('RTNETLINK answers: File exists\nmore')).toBe('File exists')
  expect(said('')).toBe('the command said nothing')
})

test('JSON is read as `ip` writes it', () => {
  expect(jsonOf('')).toEqual([])
  expect(jsonOf('[{"ifname":"it\\\'s"},{"ifname":"a\\"b\\\\"}]')).toEqual([{ ifname: "it's" }, { ifname: 'a"b\\' }])
})

test('a command goes inside a namespace by nsenter, and is counted as what it is', () => {
  const command = { does: 'other', argv: ['ip', 'link'] } as const
  expect(insideNamespace(undefined, command)).toBe(command)
  expect(insideNamespace('/run/netns/-x', command)).toEqual({
    does: 'other',
    program: 'ip',
    argv: ['nsenter', '--net=/run/netns/-x', 'ip', 'link'],
  })
})
