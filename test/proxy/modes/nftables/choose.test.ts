import { describe, expect, test } from 'vitest'
import { chooseNft } from '#proxy/modes/nftables/choose.ts'
import { trials } from '#proxy/modes/nftables/trial.ts'
import type { Kernel, Outcome } from '#system/ports.ts'

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

function counted(kernel: Kernel): { readonly kernel: Kernel; readonly ran: string[] } {
  const ran: string[] = []
  return {
    ran,
    kernel: {
      run: command => {
        ran.push(command.argv.join(' '))
        return kernel.run(command)
      },
    },
  }
}

const choose = (facts: HostFacts, kernelCheck: 'enforce' | 'skip' = 'enforce') =>
  chooseNft(host(facts), { family: 'ipv4', kernelCheck })

describe('the trial', () => {
  const input = trials('ipv4')
    .map(command => command.input ?? '')
    .join('')

  test.each([
    /fib daddr type local/,
    /fib saddr type local/,
    /iifname "trial\*"/,
    /ct status dnat/,
    /dnat ip to ip daddr \. sctp dport \. numgen random mod 1 map @endpoints-sctp/,
    /update @affinity-/,
    /vmap \{ 0 : goto endpoint-/,
    /dnat to 192\.0\.2\.5:1/,
    /masquerade fully-random/,
    / reject$/m,
    / drop$/m,
  ])('puts %s to the test', statement => expect(input).toMatch(statement))

  test('leaves our own table alone', () => {
    const tables = input
      .trimEnd()
      .split('\n')
      .map(line => line.split(' ').slice(2, 4).join(' '))
    expect(new Set(tables)).toEqual(new Set(['ip kube-proxy-trial']))
  })
})

describe('a host that can', () => {
  test('is known by the versions of nft and the kernel', async () =>
    expect(await choose({})).toMatchObject({
      options: { family: 'ipv4', chainRemoval: 'at-once' },
      why: 'nft 1.0.6 on kernel 6.12.3',
    }))

  test('tries nothing where these versions are known to do', async () => {
    const { kernel, ran } = counted(host({}))
    await chooseNft(kernel, { family: 'ipv4', kernelCheck: 'enforce' })
    expect(ran.sort()).toEqual(['nft --version', 'uname -r'])
  })

  test.each<[HostFacts, 'enforce' | 'skip']>([
    [{ nft: 'nftables v1.0.5 (Lester Gooch #4)' }, 'enforce'],
    [{ release: '5.10.0' }, 'skip'],
  ])('%j: every kind of rule is tried first', async (facts, kernelCheck) => {
    const { kernel, ran } = counted(host(facts))
    await chooseNft(kernel, { family: 'ipv4', kernelCheck })
    expect(ran).toContain('nft --check -f -')
  })

  test.each([
    ['5.15.0-91-generic', 'when-forgotten'],
    ['6.1.0-18-amd64', 'when-forgotten'],
    ['6.2.0', 'at-once'],
    ['7.0', 'at-once'],
  ])('with kernel %s removes chains %s', async (release, chainRemoval) =>
    expect((await choose({ release })).options.chainRemoval).toBe(chainRemoval),
  )
})

const NUMBER_IN_KEY = `/dev/stdin:6:69-89: Error: can not use variable sized data types (integer) in concat expressions
add map ip kube-proxy-trial endpoints-sctp { typeof ip daddr . sctp dport . numgen random mod 2 : ip daddr . sctp dport ; }
                                                    ~~~~~~~~~~~~~~~~~~~~~~~~^^^^^^^^^^^^^^^^^^^
`

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
      { nft: 'nftables v1.0.5 (#4)', trial: { code: 1, stderr: 'Error: JSON support not compiled-in\n^^' } },
      /nft -j list tables ip says: Error: JSON support not compiled-in; nft is 1\.0\.5/,
    ],
    [
      { nft: 'nftables v1.0.2 (Lester Gooch)', trial: { code: 1, stderr: NUMBER_IN_KEY } },
      /variable sized data types \(integer\) in concat expressions \(add map .*\); nft is 1\.0\.2, and 1\.0\.6 is known to do$/,
    ],
  ])('%j is refused with what is missing', async (facts, message) => {
    await expect(choose(facts)).rejects.toThrow(message)
  })

  test('is asked what it lacks once it has refused rules, however new it is', async () => {
    const { lacks } = await choose({ trial: { code: 1, stderr: 'Error: JSON support not compiled-in\n^^' } })
    const lacking = await lacks()
    expect(lacking?.message).toMatch(/nft -j list tables ip says: Error: JSON support not compiled-in$/)
  })

  test('and lacks nothing where it takes every kind of rule', async () => {
    expect(await (await choose({})).lacks()).toBeUndefined()
  })

  test('may be tried all the same where only the kernel is too old', async () =>
    expect((await choose({ release: '5.10.0' }, 'skip')).options.chainRemoval).toBe('when-forgotten'))
})
