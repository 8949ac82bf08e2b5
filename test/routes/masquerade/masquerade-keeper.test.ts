import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { iptablesBackend } from '#routes/masquerade/iptables-backend.ts'
import { MasqueradeKeeper, type OutboundChoice } from '#routes/masquerade/masquerade-keeper.ts'
import { nftablesBackend } from '#routes/masquerade/nftables-backend.ts'
import { must } from '#system/must.ts'
import { type Command, NOT_FOUND, TIMED_OUT } from '#system/ports.ts'
import { captureLog } from '../../support/captured-log.ts'
import { cidr } from '../stage.ts'

const rangesOf = (own: readonly string[], cluster: readonly string[]) => ({
  own: own.map(cidr),
  cluster: cluster.map(cidr),
})
const NOTHING = rangesOf([], [])
const RANGES = rangesOf(['10.244.1.0/24', 'fd00:244:1::/64'], ['10.244.0.0/16', 'fd00:244::/32'])
const RING = rangesOf(['10.32.0.0/14', '10.40.0.64/26'], ['10.32.0.0/12'])
const LATE = { code: TIMED_OUT, stdout: '', stderr: 'it was ended after 10 s' }
const isOf = (program: 'nft' | 'iptables') => (command: Command) =>
  program === 'nft' ? command.argv[0] === 'nft' : /^ip6?tables/.test(command.argv[0])

class Kept {
  readonly kernel: PaperKernel
  readonly clock = new PaperClock()
  readonly captured = captureLog(0)
  readonly observed: string[] = []
  readonly keeper: MasqueradeKeeper

  constructor(choice: OutboundChoice, kernel = new PaperKernel()) {
    this.kernel = kernel
    const { clock, observed } = this
    this.keeper = new MasqueradeKeeper({
      choice,
      kernel,
      clock,
      log: this.captured.log,
      observed: why => void observed.push(why),
    })
  }

  async later(ranges = RANGES): Promise<void> {
    await this.clock.advance(60_000)
    await this.keeper.keep(ranges)
  }

  /** By which programs rules stand. */
  async standing(ranges = RANGES): Promise<readonly string[]> {
    const backends = [nftablesBackend(this.kernel), iptablesBackend(this.kernel)]
    const found = await Promise.all(
      backends.map(async ({ name, isWhole }) =>
        (await isWhole(ranges)) ? [name] : (await isWhole(NOTHING)) ? [] : [`${name}: others`],
      ),
    )
    return found.flat()
  }

  get lines(): readonly string[] {
    return this.captured.lines.map(line => /^"([^"]*)"/.exec(line)![1]!)
  }
}

const BEGUN = 'Masquerading what leaves the cluster'

describe('rules for what leaves the cluster', () => {
  test.each([
    ['auto', ['nftables']],
    ['nftables', ['nftables']],
    ['iptables', ['iptables']],
    ['none', []],
  ] as const)('are by one program: %s', async (choice, standing) => {
    const kept = new Kept(choice)
    await kept.keeper.keep(RANGES)
    expect([await kept.standing(), kept.observed]).toEqual([standing, standing.length > 0 ? ['begun'] : []])
  })

  test.each(['auto', 'nftables', 'iptables', 'none'] as const)(
    '%s: those of an earlier daemon with other settings go',
    async choice => {
      const kernel = new PaperKernel()
      for (const earlier of ['nftables', 'iptables'] as const) await new Kept(earlier, kernel).keeper.keep(RING)
      const backend = iptablesBackend(kernel)
      await backend.write(RING)
      const kept = new Kept(choice, kernel)
      await kept.keeper.keep(RANGES)
      expect(await kept.standing()).toEqual(choice === 'none' ? [] : [choice === 'iptables' ? 'iptables' : 'nftables'])
    },
  )

  test('follow the ranges at once; where this node has none any more, they go', async () => {
    const kept = new Kept('auto')
    for (const ranges of [RANGES, RING]) {
      await kept.keeper.keep(ranges)
      expect(await kept.standing(ranges)).toEqual(['nftables'])
    }
    await kept.keeper.keep(rangesOf([], ['10.32.0.0/12']))
    expect([await kept.standing(), kept.observed]).toEqual([[], ['begun', 'begun']])
  })

  test('are looked at once a minute, and no program is started in between', async () => {
    const kept = new Kept('auto')
    await kept.keeper.keep(RANGES)
    const { length } = kept.kernel.commands
    await kept.clock.advance(59_999)
    await kept.keeper.keep(RANGES)
    expect(kept.kernel.commands.length).toBe(length)
  })

  test.each([
    ['nftables', () => anyCommand(['nft', '-f', '-'])],
    ['iptables', () => anyCommand(['iptables', '-t', 'nat', '-F'])],
  ] as const)('%s: are repaired where another program has changed them, which is counted', async (choice, breaking) => {
    const kept = new Kept(choice)
    await kept.keeper.keep(RANGES)
    await must(kept.kernel, { ...breaking(), input: 'delete table ip switchyard_outbound\n' })
    await kept.later()
    expect([await kept.standing(), kept.observed]).toEqual([[choice], ['begun', 'repaired']])
  })
})

describe('where a program fails', () => {
  test('the next one writes them; once the first can again and the ranges change, it does, and no rule is there twice', async () => {
    const kept = new Kept('auto')
    const heal = kept.kernel.failWhen(isOf('nft'), { code: NOT_FOUND, stdout: '', stderr: '' })
    await kept.keeper.keep(RANGES)
    heal()
    expect(await kept.standing()).toEqual(['iptables'])
    await kept.keeper.keep(RING)
    expect(await kept.standing(RING)).toEqual(['nftables'])
  })

  test('and does not even answer, what it had is not left beside the rules of the next one', async () => {
    const kept = new Kept('auto')
    await kept.keeper.keep(RANGES)
    const heal = kept.kernel.failWhen(isOf('nft'), LATE)
    await kept.keeper.keep(RING)
    heal()
    await kept.keeper.keep(RING)
    expect(await kept.standing(RING)).toEqual(['nftables'])
  })

  test('and there is no other, it is an error once, counted each time, and tried again with each round', async () => {
    const kept = new Kept('auto')
    const heal = kept.kernel.failWhen(({ does }) => does === 'write' || does === 'restore')
    for (let round = 0; round < 3; round++) await kept.keeper.keep(RANGES)
    heal()
    await kept.keeper.keep(RANGES)
    expect(await kept.standing()).toEqual(['nftables'])
    expect(kept.lines).toEqual(['Rules for what leaves the cluster could not be written', BEGUN])
    expect(kept.observed).toEqual(['failed', 'failed', 'failed', 'begun'])
  })
})

test('whatever happens, once it is quiet the rules stand by one program, or by none where none are wanted', async () => {
  const anyRanges = fc.constantFrom(RANGES, RING, NOTHING)
  const step = fc.record({
    ranges: anyRanges,
    fails: fc.constantFrom(undefined, 'nft' as const, 'iptables' as const),
    isFlushed: fc.boolean(),
  })
  const choices = fc.constantFrom(
    'auto' as const,
    'auto' as const,
    'nftables' as const,
    'iptables' as const,
    'none' as const,
  )
  await fc.assert(
    fc.asyncProperty(choices, fc.array(step, { maxLength: 6 }), anyRanges, async (choice, steps, last) => {
      const kept = new Kept(choice)
      for (const { ranges, fails, isFlushed } of steps) {
        if (isFlushed) kept.kernel.flush()
        const heal = fails && kept.kernel.failWhen(isOf(fails), LATE)
        await kept.later(ranges)
        heal?.()
      }
      for (let round = 0; round < 2; round++) await kept.later(last)
      if (choice === 'none' || last === NOTHING) {
        expect(kept.kernel.dump()).not.toMatch(/switchyard_outbound|SWITCHYARD/)
        return
      }
      const standing = await kept.standing(last)
      expect(standing).toHaveLength(1)
      expect(choice === 'auto' ? ['nftables', 'iptables'] : [choice]).toContain(standing[0])
    }),
    { numRuns: 120 },
  )
})
