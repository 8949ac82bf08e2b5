import { describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { nftables } from '#proxy/modes/nftables/index.ts'
import { unitText } from '../../../support/units.ts'
import { walk } from '../../../support/walk.ts'

const flags = ['--proxy-mode=nftables', '--cluster-cidr=10.244.0.0/16,fd00:244::/32']
const parsed = await parseArguments('run', flags, () => Promise.reject())
if (!parsed.ok) throw new Error(parsed.problems.join())
const { settings } = parsed

describe.each(['ipv4', 'ipv6'] as const)('a walk of 300 steps with failures on the way, on paper, %s', family => {
  // A kernel before 6.2 refuses what the other order of removing asks of it.
  test.each([
    ['at-once', false],
    ['when-forgotten', true],
  ] as const)(
    'leaves what a start from nothing would (nftables, chains go %s)',
    async (chainRemoval, forgetsLate) => {
      const seed = Math.floor(Math.random() * 2 ** 31)
      const { failures } = await walk({
        seed,
        steps: 300,
        family,
        settings,
        mode: nftables({ family, chainRemoval }),
        kernel: new PaperKernel({ nft: { forgetsLate } }),
        mayRemain: (unit, text) => forgetsLate && unitText(unit).startsWith('chain ') && text === '',
      })
      expect(failures).toBeGreaterThan(5)
    },
    60_000,
  )
})

test('an older kernel refuses what chains that go at once ask of it: the other order is needed', async () => {
  const mode = nftables({ family: 'ipv4', chainRemoval: 'at-once' })
  const older = new PaperKernel({ nft: { forgetsLate: true } })
  await expect(walk({ seed: 7, steps: 200, family: 'ipv4', settings, mode, kernel: older })).rejects.toThrow(/"extra"/)
})
