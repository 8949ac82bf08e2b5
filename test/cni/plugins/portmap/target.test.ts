import { describe, expect, test } from 'vitest'
import { portmapConfig } from '#cni/plugins/portmap/mapping.ts'
import { oneAddress, ownerOf, targetsOf } from '#cni/plugins/portmap/target.ts'
import type { JsonObject, NetworkConfig } from '#cni/protocol/request.ts'
import { NO_RESULT } from '#cni/protocol/result.ts'
import { parseAddress } from '#values/address.ts'
import { requestOf } from '../../requests.ts'

const decoded = (raw: JsonObject) => portmapConfig({ config: { raw } as NetworkConfig })
const mapped = (...portMappings: readonly unknown[]) => ({ runtimeConfig: { portMappings } })

describe('targets', () => {
  const [v4, v6] = [parseAddress('10.9.0.2')!, parseAddress('fd09::2')!]
  const result = {
    ...NO_RESULT,
    interfaces: [{ name: 'cni0' }, { name: 'eth0', sandbox: '/run/netns/p' }],
    ips: [
      { address: parseAddress('10.9.0.1')!, prefixLength: 24, interface: 0 },
      { address: v4, prefixLength: 24, interface: 1 },
      { address: v6, prefixLength: 64, interface: 1 },
    ],
  }

  test('one for each family of the container, and never an address of the node', () => {
    const config = decoded(mapped({ hostPort: 8080, containerPort: 80 }))
    expect(targetsOf(config, result).map(({ address, subnet }) => [address, subnet])).toEqual([
      ['10.9.0.2', '10.9.0.0/24'],
      ['fd09::2', 'fd09::/64'],
    ])
  })

  test('a host address is for its own family', () => {
    const config = decoded(mapped({ hostPort: 8080, containerPort: 80, hostIP: '::' }))
    expect(targetsOf(config, result).map(({ family }) => family)).toEqual(['ipv6'])
  })

  test('addresses of an IPAM result are on no interface yet', () => {
    const config = decoded(mapped({ hostPort: 8080, containerPort: 80 }))
    const bare = { ...NO_RESULT, ips: [{ address: v4, prefixLength: 24 }] }
    expect(targetsOf(config, bare).map(({ address }) => address)).toEqual(['10.9.0.2'])
  })

  test('a family without a port that is mapped in it has none, nor has one without an address', () => {
    const six = decoded(mapped({ hostPort: 8080, containerPort: 80, hostIP: 'fd00::1' }))
    expect(targetsOf(six, { ...NO_RESULT, ips: [{ address: v4, prefixLength: 24 }] })).toEqual([])
    expect(targetsOf(decoded({}), result)).toEqual([])
  })

  test('the first address of a family is the one', () => {
    const config = decoded(mapped({ hostPort: 8080, containerPort: 80 }))
    const second = { address: parseAddress('10.9.0.9')!, prefixLength: 24, interface: 1 }
    expect(targetsOf(config, { ...result, ips: [...result.ips, second] }).map(({ address }) => address)).toEqual([
      v4,
      v6,
    ])
  })
})

test('an address that means all of its family is none', () => {
  const mapping = { protocol: 'tcp', hostPort: 1, containerPort: 1 } as const
  const one = (text: string) => oneAddress({ ...mapping, hostAddress: parseAddress(text)! })
  expect(['0.0.0.0', '::', '192.0.2.1', 'fd00::1'].map(one)).toEqual([undefined, undefined, '192.0.2.1', 'fd00::1'])
  expect(oneAddress(mapping)).toBeUndefined()
})

test('an owner is the attachment, in its network', () => {
  expect(ownerOf(requestOf())).toEqual({ network: 'net1', container: 'c1', ifname: 'eth0' })
})
