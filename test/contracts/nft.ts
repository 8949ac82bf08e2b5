import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Declared, listingOf } from '#dialects/nft-listing.ts'
import { rule } from '#dialects/words.ts'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import type { KernelUnderTest } from './kernel.ts'
import { NFT_CASES, type NftCase } from './nft/cases.ts'

// What nft promises, as cases that the real tool and the one on paper must pass.

export function nftContract(makeKernel: () => Promise<KernelUnderTest>): void {
  describe('nft: the contract', () => {
    let subject: KernelUnderTest
    beforeEach(async () => {
      subject = await makeKernel()
    })
    afterEach(() => subject.end())

    test.each(NFT_CASES)('$title', one => passes(one, subject.kernel))

    test('a script that is only checked changes nothing, and is refused where it would be', async () => {
      const check = (input: string) => subject.kernel.run(anyCommand(['nft', '--check', '-f', '-'], { input }))
      expect(await check('add table ip t\n')).toMatchObject({ code: 0 })
      expect(await wordsOf(subject.kernel)).toEqual([])
      expect(await check('delete table ip t\n')).toMatchObject({ code: 1 })
    })
  })
}

async function passes({ given = '', run, refused, leaves }: NftCase, kernel: Kernel): Promise<void> {
  await must(kernel, script(given))
  const before = await wordsOf(kernel)
  const { code, stderr } = await kernel.run(script(run))
  expect(`${code} ${stderr}`).toMatch(refused === undefined ? /^0 $/ : /^1 /)
  if (refused !== undefined) expect(stderr).toMatch(refused)
  expect(await wordsOf(kernel)).toEqual(leaves ?? before)
}

function script(text: string) {
  return anyCommand(['nft', '-f', '-'], { input: `${text}\n` })
}

/** The table `t`, or another one, in the words of dialects/nft.ts: sorted, a line for each chain, declaration and element. */
export async function wordsOf(kernel: Kernel, family = 'ip', table = 't'): Promise<readonly string[]> {
  const { code, stdout } = await kernel.run(anyCommand(['nft', '-j', 'list', 'table', family, table]))
  if (code !== 0) return []
  const { chains, sets, maps } = listingOf(stdout)
  const declared =
    (kind: string) =>
    ([name, set]: readonly [string, Declared]) => [
      `${kind} ${name}: ${set.types}`,
      ...[...set.elements()].map(([key, rest]) => `${kind} ${name}: ${rule(key, rest || undefined)}`),
    ]
  const lines = [
    ...[...chains].map(([name, text]) => `chain ${name}: ${text.replaceAll('\n', ' | ')}`.trimEnd()),
    ...[...sets].flatMap(declared('set')),
    ...[...maps].flatMap(declared('map')),
  ]
  return ['table', ...lines.sort()]
}
