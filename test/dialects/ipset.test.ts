import { describe, expect, test } from 'vitest'
import { ipPortEntry, ipPortSourceEntry, savedSets } from '#dialects/ipset.ts'
import { cidr, ip } from '../support/objects.ts'

const LISTING = `create KUBE-CLUSTER-IP hash:ip,port family inet hashsize 1024 maxelem 4194304 bucketsize 12 initval 0x5f3a
add KUBE-CLUSTER-IP 10.96.0.10,tcp:80
create KUBE-6-CLUSTER-IP hash:ip,port family inet6 hashsize 2048 maxelem 4194304 bucketsize 12 initval 0x01
add KUBE-6-CLUSTER-IP ::ffff:10.1.2.3,tcp:80
add KUBE-6-CLUSTER-IP fd10:96::10,udp:53
create KUBE-NODE-PORT-IP hash:ip,port family inet hashsize 1024 maxelem 4194304 timeout 0 bucketsize 12 initval 0x02
add KUBE-NODE-PORT-IP 10.99.0.2,tcp:30080 timeout 0
add KUBE-NODE-PORT-IP 10.99.0.2,tcp:30666 timeout 598
create theirs hash:ip family inet hashsize 1024 maxelem 65536
add theirs 192.0.2.1
`

describe('what ipset prints', () => {
  const sets = savedSets(LISTING, name => name.startsWith('KUBE-'))
  const members = (name: string) => sets.get(name)!.members

  test('is read without what the kernel chose, and without sets of others', () => {
    expect([...sets.keys()]).toEqual(['KUBE-CLUSTER-IP', 'KUBE-6-CLUSTER-IP', 'KUBE-NODE-PORT-IP'])
    expect(sets.get('KUBE-CLUSTER-IP')!.spec).toBe('hash:ip,port family inet maxelem 4194304')
  })

  test('spells IPv6 addresses as we do, and leaves IPv4 alone', () => {
    expect(members('KUBE-6-CLUSTER-IP').map(({ entry }) => entry)).toEqual([
      ipPortEntry(ip('::ffff:a01:203'), 'tcp', 80),
      ipPortEntry(ip('fd10:96::10'), 'udp', 53),
    ])
    expect(members('KUBE-CLUSTER-IP')).toEqual([{ entry: '10.96.0.10,tcp:80', expires: false }])
  })

  test('says which members go by themselves', () => {
    expect(members('KUBE-NODE-PORT-IP').map(({ expires }) => expires)).toEqual([false, true])
  })

  test('may end in the middle of a line, or name a member of a set that was not shown', () => {
    expect(savedSets('add KUBE-X 10.0.0.1', () => true).size).toBe(0)
    expect(savedSets('create KUBE-X', () => true).get('KUBE-X')).toEqual({ spec: '', members: [] })
    expect(savedSets('', () => true).size).toBe(0)
  })
})

test('a range that holds one address is written as that address', () => {
  const ipPort = ipPortEntry(ip('10.96.0.10'), 'tcp', 80)
  expect(ipPortSourceEntry(ipPort, cidr('192.0.2.0/24'))).toBe('10.96.0.10,tcp:80,192.0.2.0/24')
  expect(ipPortSourceEntry(ipPort, cidr('192.0.2.7/32'))).toBe('10.96.0.10,tcp:80,192.0.2.7')
  expect(ipPortSourceEntry('[x]', cidr('fd00::7/128'))).toBe('[x],fd00::7')
  expect(ipPortSourceEntry('[x]', cidr('fd00::/12'))).toBe('[x],fd00::/12')
})
