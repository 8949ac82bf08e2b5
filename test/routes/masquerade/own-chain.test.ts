import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { isChainWhole, type OwnChain, policyOf, removeChain, ruleOf, writeChain } from '#routes/masquerade/own-chain.ts'
import { CommandFailed, must } from '#system/must.ts'
import { NOT_FOUND, TIMED_OUT } from '#system/ports.ts'
import { FAMILIES, type Family } from '#values/address.ts'

const OWN: OwnChain = { table: 'filter', name: 'SWITCHYARD-FORWARD', entry: 'FORWARD', comment: 'pods of the cluster' }
const RULES: Readonly<Record<Family, readonly string[]>> = {
  ipv4: ['-s 10.244.0.0/16', '-d 10.244.0.0/16'].map(match => ruleOf(OWN, match, '-j ACCEPT')),
  ipv6: ['-s fd00:244::/32', '-d fd00:244::/32'].map(match => ruleOf(OWN, match, '-j ACCEPT')),
}
const PROGRAMS: Readonly<Record<Family, string>> = { ipv4: 'iptables', ipv6: 'ip6tables' }
const VARIANTS = ['nft', 'legacy'] as const

async function ran(kernel: PaperKernel, family: Family, words: string): Promise<string> {
  return (await must(kernel, anyCommand([PROGRAMS[family], ...words.split(' ')]))).stdout
}

const jumpsTo = (text: string) => text.split('\n').filter(line => line.includes(`-j ${OWN.name}`))

describe.each(VARIANTS)('a chain of our own, with iptables-%s', iptables => {
  test.each(FAMILIES)('%s: stands with one jump behind the rules of others, and goes without a trace', async family => {
    const kernel = new PaperKernel({ iptables })
    await ran(kernel, family, '-A FORWARD -i eth9 -j DROP')
    const before = kernel.dump()
    for (let times = 0; times < 2; times++) await writeChain(kernel, family, OWN, RULES[family])
    const listed = await ran(kernel, family, '-S FORWARD')
    expect([jumpsTo(listed).length, listed.trimEnd().endsWith(OWN.name)]).toEqual([1, true])
    expect(await isChainWhole(kernel, family, OWN, RULES[family])).toBe(true)
    expect(await removeChain(kernel, family, OWN)).toBe('removed')
    expect([await removeChain(kernel, family, OWN), kernel.dump()]).toEqual(['none', before])
    expect([
      await isChainWhole(kernel, family, OWN, RULES[family]),
      await isChainWhole(kernel, family, OWN, undefined),
    ]).toEqual([false, true])
  })

  test('is whole again, and the rules of others stay, whatever another program has done', async () => {
    const changes = [
      ...['-F', '-F FORWARD', `-F ${OWN.name}`, `-I ${OWN.name} -j DROP`, `-A ${OWN.name} -j RETURN`],
      ...['-A FORWARD -i eth9 -j DROP', '-I FORWARD -o eth9 -j ACCEPT', `-A FORWARD -i eth9 -j ${OWN.name}`],
      `-I FORWARD -j ${OWN.name}`,
    ]
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...changes), { maxLength: 6 }), async words => {
        const kernel = new PaperKernel({ iptables })
        await writeChain(kernel, 'ipv4', OWN, RULES.ipv4)
        for (const one of words) await ran(kernel, 'ipv4', one)
        const others = (text: string) => text.split('\n').filter(line => !line.includes(OWN.name))
        const before = others(await ran(kernel, 'ipv4', '-S'))
        await writeChain(kernel, 'ipv4', OWN, RULES.ipv4)
        expect(await isChainWhole(kernel, 'ipv4', OWN, RULES.ipv4)).toBe(true)
        expect(others(await ran(kernel, 'ipv4', '-S'))).toEqual(before)
        await removeChain(kernel, 'ipv4', OWN)
        expect((await ran(kernel, 'ipv4', '-S')).trimEnd().split('\n')).toEqual(before.filter(line => line !== ''))
      }),
      { numRuns: 60 },
    )
  })
})

describe('a program that has not answered', () => {
  const LATE = { code: TIMED_OUT, stdout: '', stderr: 'iptables was ended after 10 s' }
  const LOCKED = { code: 4, stdout: '', stderr: 'Another app is currently holding the xtables lock.\n' }

  test.each([LATE, LOCKED])('has not said that there is no chain: %j', async outcome => {
    const kernel = new PaperKernel()
    await writeChain(kernel, 'ipv4', OWN, RULES.ipv4)
    const before = kernel.dump()
    kernel.failWhen(({ does }) => does === 'look', outcome)
    for (const work of [
      () => removeChain(kernel, 'ipv4', OWN),
      () => isChainWhole(kernel, 'ipv4', OWN, RULES.ipv4),
      () => writeChain(kernel, 'ipv4', OWN, RULES.ipv4),
      () => policyOf(kernel, 'ipv4', OWN),
    ])
      await expect(work()).rejects.toThrow(CommandFailed)
    expect(kernel.dump()).toBe(before)
  })

  test('because it is not there has said so: there is no chain, and nothing to remove', async () => {
    const kernel = { run: async () => ({ code: NOT_FOUND, stdout: '', stderr: '' }) }
    expect(await removeChain(kernel, 'ipv6', OWN)).toBe('none')
    expect(await policyOf(kernel, 'ipv6', OWN)).toBeUndefined()
    expect(await isChainWhole(kernel, 'ipv6', OWN, undefined)).toBe(true)
  })
})

test('the policy of the chain is the kernel’s, of each family its own', async () => {
  const kernel = new PaperKernel()
  await ran(kernel, 'ipv6', '-P FORWARD DROP')
  expect([await policyOf(kernel, 'ipv4', OWN), await policyOf(kernel, 'ipv6', OWN)]).toEqual(['ACCEPT', 'DROP'])
})
