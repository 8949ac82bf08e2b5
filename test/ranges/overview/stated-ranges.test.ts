import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { emptyRing } from '#ipam/ring/ring.ts'
import type { RawObject } from '#ranges/overview/raw-objects.ts'
import { clusterRangesStated, serviceRangesStated } from '#ranges/overview/stated-ranges.ts'
import { addressFromNumber, addressNumber } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, contains, prefixLength, prefixOf } from '#values/cidr.ts'
import { node } from '../../ipam/overview/facts.ts'

const cidrs = (...texts: readonly string[]) => texts as Cidr[]
const configured = (networking: string): RawObject => ({
  data: {
    ClusterConfiguration: `apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking:\n${networking}`,
  },
})
const NODES = [node('a', ['10.244.1.0/24', 'fd00:244:0:1::/64']), node('b', ['10.244.2.0/24'])]
const RING = emptyRing('10.32.0.0/12' as Cidr)

describe('the range of pods', () => {
  const stated = (flag: readonly Cidr[], kubeadm?: RawObject, nodes = NODES, ring?: typeof RING) =>
    clusterRangesStated({ flag, kubeadm }, nodes, ring)
  const PODS = configured('  podSubnet: 10.244.0.0/16, fd00:244::/48\n')

  test('is that of the flag, else of kubeadm, else a guess', () => {
    expect(stated(cidrs('10.200.0.0/16'), PODS)).toEqual({ cidrs: ['10.200.0.0/16'], from: 'that of --cluster-cidr' })
    expect(stated([], PODS)).toEqual({
      cidrs: ['10.244.0.0/16', 'fd00:244::/48'],
      from: 'that of ConfigMap kube-system/kubeadm-config',
    })
    expect(stated([])).toMatchObject({ cidrs: ['10.244.0.0/22', 'fd00:244:0:1::/64'], isGuess: true })
  })

  test('is no guess where the pods have theirs of a ring, and nothing where no node has any', () => {
    expect(stated([], undefined, [node('a', [])], RING)).toEqual({ cidrs: [], from: '' })
    expect(stated([], undefined, NODES, RING)).toMatchObject({ isGuess: true })
    expect(stated([], undefined, []).cidrs).toEqual([])
  })

  test.each([
    ['of no pods', configured('  dnsDomain: cluster.local\n')],
    ['that is no YAML', { data: { ClusterConfiguration: 'kind: [' } }],
    ['that is empty', { data: { ClusterConfiguration: '' } }],
    ['without the text', { data: {} }],
    ['with a range that is none', configured('  podSubnet: 10.244.0.0\n')],
    ['with a range that is no text', configured('  podSubnet: 10\n')],
    ['of no networks', { data: { ClusterConfiguration: 'kind: ClusterConfiguration\n' } }],
  ])('is not said by a configuration %s', (_, object) => {
    expect(stated([], object)).toMatchObject({ isGuess: true })
  })
})

describe('the range of Services', () => {
  const SERVICES = configured('  serviceSubnet: 10.96.0.0/12\n')
  const stated = (flag: readonly Cidr[], objects: readonly Cidr[], kubeadm: RawObject | undefined = SERVICES) =>
    serviceRangesStated({ flag, kubeadm }, objects)

  test('is that of the objects, which are in force whatever a flag says, else of the flag, else of kubeadm', () => {
    expect(stated(cidrs('10.1.0.0/16'), cidrs('10.2.0.0/16'))).toEqual({
      cidrs: ['10.2.0.0/16'],
      from: 'as in the ServiceCIDRs',
    })
    expect(stated(cidrs('10.1.0.0/16'), [])).toEqual({
      cidrs: ['10.1.0.0/16'],
      from: 'that of --service-cluster-ip-range',
    })
    expect(stated([], []).cidrs).toEqual(['10.96.0.0/12'])
    expect(stated([], [], { data: {} }).cidrs).toEqual([])
  })
})

test('a guess has the ranges of all nodes, and no half of it has', () => {
  const anyRange = fc
    .tuple(fc.constantFrom('ipv4' as const, 'ipv6' as const), fc.nat(0xffff), fc.integer({ min: 0, max: 12 }))
    .map(([family, at, bits]) => {
      const [base, length] = family === 'ipv4' ? [0x0af4_0000n, 32] : [0xfd00_0244n << 96n, 128]
      return prefixOf(addressFromNumber(family, base + BigInt(at)), length - bits)
    })
  fc.assert(
    fc.property(fc.array(anyRange, { minLength: 1, maxLength: 12 }), held => {
      const nodes = held.map((range, i) => node(`n${i}`, [range]))
      const guessed = clusterRangesStated({ flag: [], kubeadm: undefined }, nodes, undefined).cidrs
      const families = (ranges: readonly Cidr[]) => [...new Set(ranges.map(cidrFamily))].toSorted()
      expect(guessed.map(cidrFamily)).toEqual(families(held))
      for (const guess of guessed) {
        const inside = held.filter(range => cidrFamily(range) === cidrFamily(guess))
        const holdsAll = (outer: Cidr) =>
          inside.every(range => prefixLength(range) >= prefixLength(outer) && contains(outer, baseAddress(range)))
        expect(holdsAll(guess)).toBe(true)
        const bits = prefixLength(guess) + 1
        if (bits > (cidrFamily(guess) === 'ipv4' ? 32 : 128)) continue
        const half = 1n << BigInt((cidrFamily(guess) === 'ipv4' ? 32 : 128) - bits)
        const upper = addressFromNumber(cidrFamily(guess), addressNumber(baseAddress(guess)) + half)
        expect([baseAddress(guess), upper].map(base => holdsAll(prefixOf(base, bits)))).toEqual([false, false])
      }
    }),
  )
})
