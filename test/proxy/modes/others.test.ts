import { describe, expect, test } from 'vitest'
import { named } from '#dialects/iptables.ts'
import { leavesIpvs, modeBesideIpvs, othersHere } from '#proxy/modes/others.ts'
import type { Kernel } from '#system/ports.ts'

/** A host with these tools; the chain of userspace mode stands where `portals` says. */
function host(tools: readonly string[], portals: readonly ('nft' | 'legacy')[] = []): Kernel {
  return {
    run: async ({ argv }) => {
      const program = argv[0]
      if (!tools.some(tool => program.startsWith(tool))) return { code: 127, stdout: '', stderr: 'not found' }
      const stands = portals.some(variant => program.includes(variant))
      const isListing = argv.includes('-S') || argv.includes('-L')
      const stdout = stands ? ':KUBE-PORTALS-CONTAINER - [0:0]\n' : ''
      return { code: isListing && !stands ? 1 : 0, stdout, stderr: '' }
    },
  }
}

const ALL = ['iptables-nft', 'iptables-legacy', 'nft']
const names = async (...given: Parameters<typeof othersHere>) => (await othersHere(...given)).map(({ name }) => name)
const NFT = named('ipv4', 'nft')

describe('a host may have rules of', () => {
  test.each([
    ['iptables', NFT, ['iptables', 'nftables']],
    ['nftables', 'ipv4', ['iptables', 'iptables']],
    // Its chains have the names of iptables mode's, and are read as its own.
    ['ipvs', NFT, ['nftables']],
    ['userspace', NFT, ['iptables', 'iptables', 'nftables']],
  ] as const)('other modes than %s', async (mode, ours, expected) => {
    expect(await names(mode, ours, host(ALL))).toEqual(expected)
  })

  test('our own mode, where they were written with the other variant', async () => {
    expect(await names('iptables', named('ipv4', 'legacy'), host(['iptables-nft']))).toEqual(['iptables'])
    expect(await names('iptables', NFT, host(['iptables-nft']))).toEqual([])
  })

  test('userspace mode, only where its chain stands: to read its rules may take long', async () => {
    expect(await names('nftables', 'ipv4', host(['iptables-nft'], ['nft']))).toEqual(['iptables', 'userspace'])
    expect(await names('nftables', 'ipv4', host(['iptables-legacy'], ['legacy']))).toEqual(['iptables', 'userspace'])
    expect(await names('userspace', NFT, host(['iptables-nft'], ['nft']))).toEqual(['iptables'])
  })

  test('none, where no tool is installed', async () => {
    expect(await names('ipvs', NFT, host([]))).toEqual([])
    expect(await names('nftables', 'ipv4', host(['nft']))).toEqual([])
  })

  test('the family that is asked about alone', async () => {
    expect(await names('nftables', 'ipv6', host(['iptables-nft']))).toEqual([])
    expect(await names('nftables', 'ipv6', host(['ip6tables-nft']))).toEqual(['iptables'])
  })
})

test('every mode but ipvs leaves its sets and servers, and two have chains beside those of ipvs', () => {
  const modes = ['iptables', 'nftables', 'ipvs', 'userspace'] as const
  expect(modes.filter(mode => !leavesIpvs(mode))).toEqual(['ipvs'])
  expect(modes.map(mode => modeBesideIpvs(mode, NFT)?.name)).toEqual(['iptables', undefined, undefined, 'userspace'])
})
