import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { masqueradeBy } from '#cni/plugins/bridge/rules/choice.ts'
import { jumpsIn, masqueradeLines, removalLines } from '#cni/plugins/bridge/rules/iptables-lines.ts'
import * as names from '#cni/plugins/bridge/rules/names.ts'
import { type Command, NOT_FOUND, type Outcome } from '#system/ports.ts'
import { parseAddress } from '#values/address.ts'

const HOLDER = { network: 'mynet', container: 'c1', ifname: 'eth0' }
const FOUR = [{ address: parseAddress('10.1.2.3')!, prefixLength: 16 }]

describe('names of rules', () => {
  test('the reference’s are known', () => {
    expect(names.referenceChain(HOLDER)).toBe(`CNI-${hash('sha512', 'mynetc1').slice(0, 24)}`)
    expect(names.interfaceTag(HOLDER)).toBe(
      `${hash('sha512', 'mynet').slice(0, 16)}-${hash('sha512', 'eth0:c1').slice(0, 16)}`,
    )
    expect(names.spoofId(HOLDER)).toBe('c1-eth0')
  })

  test('two interfaces of a container have two chains, and that of the first is the reference’s', () => {
    const second = names.ownChain({ ...HOLDER, ifname: 'net1' })
    expect(names.ownChain(HOLDER)).toBe(names.referenceChain(HOLDER))
    expect(second).toMatch(/^CNI-[0-9a-f]{24}$/)
    expect(second).not.toBe(names.referenceChain(HOLDER))
    expect(names.iptablesComment({ ...HOLDER, ifname: 'net1' })).toMatch(/ if: .*net1/)
  })

  test('a comment is cut where the tool would refuse it, behind what says whose it is', () => {
    const long = { ...HOLDER, network: 'n'.repeat(90), container: 'c'.repeat(64), ifname: 'a-very-long-one' }
    expect(names.interfaceComment(long)).toHaveLength(127)
    expect(names.interfaceComment(long)).toContain(names.interfaceTag(long))
    expect(names.iptablesComment(long).replaceAll('\\', '').length).toBeLessThanOrEqual(255)
  })
})

describe('rules of iptables', () => {
  const SAID = '-m comment --comment "name: \\"mynet\\" id: \\"c1\\""'
  const CHAIN = names.ownChain(HOLDER)

  test('masquerade what leaves the range, but for multicasts', () => {
    expect(masqueradeLines(HOLDER, FOUR)).toEqual([
      `:${CHAIN} - [0:0]`,
      `-A ${CHAIN} -d 10.1.0.0/16 ${SAID} -j ACCEPT`,
      `-A ${CHAIN} ! -d 224.0.0.0/4 ${SAID} -j MASQUERADE`,
      `-A POSTROUTING -s 10.1.2.3/32 ${SAID} -j ${CHAIN}`,
    ])
    expect(masqueradeLines(HOLDER, [])).toEqual([])
  })

  test('are found again in a listing, and removed with their chain', () => {
    const listing = ['-P POSTROUTING ACCEPT', '-A POSTROUTING -j KUBE-POSTROUTING', ...masqueradeLines(HOLDER, FOUR)]
    const jumps = jumpsIn(`${listing.join('\n')}\n`)
    expect(jumps.map(({ source, chain }) => [source, chain])).toEqual([['10.1.2.3', CHAIN]])
    expect(removalLines(jumps, jumps)).toEqual([
      `-D POSTROUTING -s 10.1.2.3/32 ${SAID} -j ${CHAIN}`,
      `-F ${CHAIN}`,
      `-X ${CHAIN}`,
    ])
  })

  test('a chain stays as long as another rule leads to it', () => {
    const chain = names.referenceChain(HOLDER)
    const jump = (ip: string) =>
      `-A POSTROUTING -s ${ip}/32 -m comment --comment "name: \\"mynet\\" id: \\"c1\\"" -j ${chain}`
    const [one, two] = jumpsIn([jump('10.1.2.3'), jump('10.1.2.4')].join('\n'))
    expect(removalLines([one!], [one!, two!])).toEqual([jump('10.1.2.3').replace('-A', '-D')])
  })
})

describe('without a back end named', () => {
  const parts = (answer: (command: Command) => Partial<Outcome>) => {
    const programs: string[] = []
    const inputs: string[] = []
    const kernel = {
      async run(command: Command): Promise<Outcome> {
        programs.push(command.argv[0])
        inputs.push(command.input ?? '')
        return { code: 0, stdout: '', stderr: '', ...answer(command) }
      },
    }
    return { programs, inputs, by: masqueradeBy('either', { kernel })! }
  }

  test('iptables is taken where it is there', async () => {
    const { programs, by } = parts(() => ({}))
    await by.add(HOLDER, FOUR)
    expect(programs).toEqual(['iptables-restore'])
  })

  test.each<[string, Partial<Outcome>]>([
    ['not installed', { code: NOT_FOUND }],
    ['of no use to the kernel', { code: 3, stderr: "iptables-restore v1.8.9: can't initialize iptables table `nat'" }],
  ])('nftables is taken where iptables is %s', async (_, absent) => {
    const { programs, by } = parts(({ argv }) => (argv[0] === 'nft' ? {} : absent))
    await by.add(HOLDER, FOUR)
    expect(programs.at(-1)).toBe('nft')
  })

  test('what nftables masquerades is found by a DEL, with addresses or without', async () => {
    const map = {
      table: 'switchyard_masquerade',
      name: 'pods',
      elem: [{ elem: { val: '10.1.2.3', comment: names.interfaceComment(HOLDER) } }],
    }
    for (const addresses of [FOUR, []]) {
      const { inputs, by } = parts(({ argv }) => {
        if (argv[0] !== 'nft') return { code: NOT_FOUND }
        return argv.includes('ip')
          ? { stdout: JSON.stringify({ nftables: [{ map }] }) }
          : { code: argv[1] === '-f' ? 0 : 1 }
      })
      expect(await by.remove(HOLDER, addresses)).toBe(true)
      expect(inputs).toContain('delete element ip switchyard_masquerade pods { 10.1.2.3 }\n')
    }
  })

  test('nothing is there to be taken back on a node that has neither', async () => {
    const { by } = parts(() => ({ code: NOT_FOUND }))
    expect([await by.remove(HOLDER, FOUR), await by.missing(HOLDER, FOUR)]).toEqual([false, FOUR])
    await by.keepOnly('mynet', [])
  })

  test('a rule that iptables refuses is no reason to take nftables', async () => {
    const { programs, by } = parts(({ argv }) =>
      argv[0].endsWith('restore') ? { code: 2, stderr: 'line 3 failed' } : {},
    )
    await expect(by.add(HOLDER, FOUR)).rejects.toThrow('iptables-restore exited with 2: line 3 failed')
    expect(programs).not.toContain('nft')
  })
})
