import { describe, expect, test } from 'vitest'
import { everyMasquerade, masqueradeBy, otherMasquerades } from '#cni/plugins/bridge/rules/choice.ts'
import * as names from '#cni/plugins/bridge/rules/names.ts'
import { type Command, NOT_FOUND, type Outcome } from '#system/ports.ts'
import { RuleKernel } from '../../rules/rule-kernel.ts'
import { at, HOLDER } from './masquerades.ts'

const FOUR = at('10.1.2.3/16')

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
          : { code: argv[1] === '-f' ? 0 : 1, stderr: 'Error: No such file or directory' }
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

describe('a DEL and a GC', () => {
  const standing = async () => {
    const kernel = new RuleKernel()
    for (const choice of ['iptables', 'nftables'] as const) await masqueradeBy(choice, { kernel })!.add(HOLDER, FOUR)
    return kernel
  }
  const left = (kernel: RuleKernel) => kernel.dump().filter(line => /^(?:element|ipv)/.test(line))

  test('of a network without a back end named leave nothing of either', async () => {
    const kernel = await standing()
    await masqueradeBy('either', { kernel })!.keepOnly('mynet', [])
    expect(left(kernel)).toEqual([])
  })

  test('of every back end, too', async () => {
    const kernel = await standing()
    for (const masquerade of everyMasquerade({ kernel })) await masquerade.remove(HOLDER, FOUR)
    expect(left(kernel)).toEqual([])
  })

  test.each([
    ['none', 2],
    ['iptables', 1],
    ['nftables', 1],
    ['either', 0],
  ] as const)('with %s there are %i others', (choice, count) => {
    expect(otherMasquerades(choice, { kernel: new RuleKernel() })).toHaveLength(count)
  })

  test('of a configuration that does not masquerade have nothing to ask', () => {
    expect(masqueradeBy('none', { kernel: new RuleKernel() })).toBeUndefined()
  })
})
