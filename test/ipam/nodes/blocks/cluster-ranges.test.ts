import { expect, test } from 'vitest'
import { type ClusterRangeFlags, clusterRanges } from '#ipam/nodes/blocks/cluster-ranges.ts'

function problems(flags: ClusterRangeFlags): readonly string[] {
  const decoded = clusterRanges(flags)
  return decoded.ok ? [] : decoded.problems
}

test('without masks, nodes get /24 of IPv4 and /64 of IPv6, and the range of Services is left out where it lies within', () => {
  const decoded = clusterRanges({
    clusterCidr: '10.244.0.0/16,fd00:10:244::/48',
    serviceRange: '10.244.240.0/20,fd00:10:96::/112',
  })
  expect(decoded).toEqual({
    ok: true,
    ranges: [
      { range: '10.244.0.0/16', nodeMask: 24, excluded: ['10.244.240.0/20'] },
      { range: 'fd00:10:244::/48', nodeMask: 64, excluded: [] },
    ],
  })
})

test('the mask for one family is --node-cidr-mask-size or the flag of the family, for two the flags of the families', () => {
  const masks = (flags: ClusterRangeFlags) => {
    const decoded = clusterRanges(flags)
    return decoded.ok ? decoded.ranges.map(({ nodeMask }) => nodeMask) : decoded.problems
  }
  expect(masks({ clusterCidr: '10.0.0.0/8', nodeMask: 26 })).toEqual([26])
  expect(masks({ clusterCidr: '10.0.0.0/8', nodeMaskOf: { ipv4: 25 } })).toEqual([25])
  expect(masks({ clusterCidr: 'fd00::/56', nodeMask: 72 })).toEqual([72])
  expect(masks({ clusterCidr: 'fd00::/56,10.0.0.0/8', nodeMaskOf: { ipv4: 22, ipv6: 66 } })).toEqual([66, 22])
  expect(masks({ clusterCidr: '10.0.0.0/8', nodeMask: 0, nodeMaskOf: { ipv6: 0 } })).toEqual([24])
})

test.each<[ClusterRangeFlags, string]>([
  [{ clusterCidr: ' ' }, '--cluster-cidr: is missing; write a range for the pods of all nodes, such as 10.244.0.0/16'],
  [
    { clusterCidr: '10.244.0.0' },
    '--cluster-cidr: "10.244.0.0" is not an address range; write it as 10.244.0.0/16 or fd00:10:244::/48',
  ],
  [
    { clusterCidr: '10.0.0.0/16,10.1.0.0/16' },
    '--cluster-cidr: 10.0.0.0/16 and 10.1.0.0/16 are both IPv4; write at most one of each family',
  ],
  [
    { clusterCidr: '10.0.0.0/16', serviceRange: '10.96.0.0/12,oops' },
    '--service-cluster-ip-range: "oops" is not an address range; write it as 10.244.0.0/16 or fd00:10:244::/48',
  ],
  [
    { clusterCidr: '10.0.0.0/16,fd00::/48', nodeMask: 24 },
    '--node-cidr-mask-size: 24 cannot be the mask of two families; write --node-cidr-mask-size-ipv4 and --node-cidr-mask-size-ipv6',
  ],
  [
    { clusterCidr: '10.0.0.0/16', nodeMaskOf: { ipv6: 64 } },
    '--node-cidr-mask-size-ipv6: 64 is given, but --cluster-cidr has no IPv6 range; add one, or leave the flag out',
  ],
  [
    { clusterCidr: '10.0.0.0/16', nodeMask: 24, nodeMaskOf: { ipv4: 25 } },
    '--node-cidr-mask-size-ipv4: 25 is given beside --node-cidr-mask-size=24; write one of the two',
  ],
  [
    { clusterCidr: '10.0.0.0/16', nodeMask: 12 },
    '--node-cidr-mask-size: 12 is no mask for the blocks of 10.0.0.0/16: a block is larger than 10.0.0.0/16; write a number from 16 to 30',
  ],
  [
    { clusterCidr: 'fd00::/40' },
    '--node-cidr-mask-size-ipv6: 64 is no mask for the blocks of fd00::/40: blocks of fd00::/40 are too small or too many; write a number from 40 to 56',
  ],
  [
    { clusterCidr: '10.0.0.0/16', nodeMask: 24.5 },
    '--node-cidr-mask-size: 24.5 is no mask for the blocks of 10.0.0.0/16; write a number from 16 to 30',
  ],
  [
    { clusterCidr: '10.0.0.0/31' },
    '--cluster-cidr: 10.0.0.0/31 has no block for a node; write a range with a mask up to 30',
  ],
])('of %j is said what is wrong', (flags, sentence) => {
  expect(problems(flags)).toEqual([sentence])
})
