import { describe, expect, test } from 'vitest'
import { chooseNft } from '../../../src/modes/nftables/choose.ts'
import type { Kernel, Outcome } from '../../../src/system/ports.ts'

interface HostFacts {
  readonly nft?: string
  readonly release?: string
  readonly trial?: Partial<Outcome>
}

function host({ nft = 'nftables v1.0.6 (Lester Gooch #5)', release = '6.12.3-amd64', trial = {} }: HostFacts): Kernel {
  return {
    run: async ({ argv }) => {
      const said = { code: 0, stdout: '', stderr: '' }
      if (argv[0] === 'uname') return { ...said, stdout: `${release}\n` }
      if (argv[1] === '--version') return nft === '' ? { ...said, code: 127 } : { ...said, stdout: `${nft}\n` }
      return { ...said, ...trial }
    },
  }
}

const choose = (facts: HostFacts, kernelCheck: 'enforce' | 'skip' = 'enforce') =>
  chooseNft(host(facts), { family: 'ipv4', kernelCheck })

describe('a host that can', () => {
  test('is told from what nft and the kernel say of themselves', async () =>
    expect(await choose({})).toEqual({
      manner: { family: 'ipv4', chainRemoval: 'at-once' },
      why: 'nft 1.0.6 on kernel 6.12.3',
    }))

  test.each([
    ['5.15.0-91-generic', 'when-forgotten'],
    ['6.1.0-18-amd64', 'when-forgotten'],
    ['6.2.0', 'at-once'],
    ['7.0', 'at-once'],
  ])('with kernel %s removes chains %s', async (release, chainRemoval) =>
    expect((await choose({ release })).manner.chainRemoval).toBe(chainRemoval),
  )
})

describe('a host that cannot', () => {
  test.each<[HostFacts, RegExp]>([
    [{ nft: '' }, /IPv4: nft is not in PATH or does not run; install the package nftables/],
    [{ nft: 'nftables v1.0.0 (Fearless Fosdick #2)' }, /nft is 1\.0\.0, and must be 1\.0\.1 or later/],
    [{ nft: 'nftables v0.9.8 (E.D.S.)' }, /nft is 0\.9\.8, and must be/],
    [{ nft: 'busybox' }, /says "busybox", which is no version/],
    [
      { release: '5.10.0-28-amd64' },
      /the kernel is 5\.10\.0, and must be 5\.13 or later; .* set KUBE_PROXY_NFTABLES_SKIP_/,
    ],
    [
      { trial: { code: 1, stderr: 'Error: JSON support not compiled-in\n^^' } },
      /nft -j list tables ip says: Error: JSON support not compiled-in$/,
    ],
  ])('%j is told what is missing', async (facts, message) => {
    await expect(choose(facts)).rejects.toThrow(message)
  })

  test('may be tried all the same where only the kernel is too old', async () =>
    expect((await choose({ release: '5.10.0' }, 'skip')).manner.chainRemoval).toBe('when-forgotten'))
})
