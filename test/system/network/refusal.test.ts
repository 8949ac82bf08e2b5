import { expect, test } from 'vitest'
import { badName, codeOf, refusal, refuseBadSetting } from '#system/network/refusal.ts'

test('a refusal says what could not be done, why, and the kernel’s word', () => {
  const doing = 'add bridge "cni0"'
  expect(refusal({ doing, code: 'EEXIST' })).toMatchObject({ name: 'NetworkRefused', code: 'EEXIST' })
  expect(refusal({ doing, code: 'EEXIST' }).message).toBe('cannot add bridge "cni0": file already exists (EEXIST)')
  expect(refusal({ doing, code: 'EINVAL', said: 'mtu less than device minimum' }).message).toBe(
    'cannot add bridge "cni0": mtu less than device minimum (EINVAL)',
  )
  expect(refusal({ doing, code: 'E524' }).message).toBe('cannot add bridge "cni0": E524')
})

test('numbers of the kernel have their names, and those without one keep their number', () => {
  expect([17, 19, 1, 95, 99, 524].map(codeOf)).toEqual([
    'EEXIST',
    'ENODEV',
    'EPERM',
    'ENOTSUP',
    'EADDRNOTAVAIL',
    'E524',
  ])
})

test('names of links are those that the kernel takes', () => {
  for (const name of ['eth0', '-d', 'a@b', 'grün', 'fifteen-letters', '...']) expect(badName(name)).toBeUndefined()
  expect(badName('sixteen-letters-')).toBe("the name has 16 bytes, and an interface's may have 15")
  for (const name of ['', '.', '..', 'a/b', 'a b', 'a:b', 'a\tb', 'a\0b', 'veth%d'])
    expect(badName(name)).toMatch(/name/)
})

test('settings are those below /proc/sys/net', () => {
  for (const path of ['ipv4/ip_forward', 'ipv6/conf/eth0.5/accept_ra', 'ipv4/conf/.../forwarding']) {
    expect(() => refuseBadSetting(path)).not.toThrow()
  }
  for (const path of ['', '/', 'ipv4/', '../x', 'ipv4/../../kernel/hostname', 'ipv4/./ip_forward', 'a\0b']) {
    expect(() => refuseBadSetting(path)).toThrow('no such path')
  }
})
