import { describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { ForwardKeeper, removeForwardRules } from '#routes/masquerade/forward-keeper.ts'
import { must } from '#system/must.ts'
import { NOT_FOUND, TIMED_OUT } from '#system/ports.ts'
import { captureLog } from '../../support/captured-log.ts'
import { cidr } from '../stage.ts'

const CLUSTER = ['10.244.0.0/16', 'fd00:244::/32'].map(cidr)
const [IPV4, IPV6] = [['iptables'], ['ip6tables']]
const LATE = { code: TIMED_OUT, stdout: '', stderr: 'iptables was ended after 10 s' }

class Kept {
  readonly kernel = new PaperKernel()
  readonly clock = new PaperClock()
  readonly captured = captureLog(0)
  readonly keeper = new ForwardKeeper({ kernel: this.kernel, clock: this.clock, log: this.captured.log })

  async run(...words: readonly string[]): Promise<string> {
    return (await must(this.kernel, anyCommand(words as [string]))).stdout
  }

  /** As Docker leaves it. */
  async drop(...programs: readonly (readonly string[])[]): Promise<void> {
    for (const [program] of programs) await this.run(program!, '-P', 'FORWARD', 'DROP')
  }

  /** After the next audit is due. */
  async later(cluster = CLUSTER): Promise<void> {
    await this.clock.advance(60_000)
    await this.keeper.keep(cluster)
  }

  async accepted(program: string): Promise<readonly string[]> {
    const lines = (await this.run(program, '-S')).split('\n')
    return lines.flatMap(line => /^-A SWITCHYARD-FORWARD (-[sd] \S+)/.exec(line)?.[1] ?? [])
  }

  get lines(): readonly string[] {
    return this.captured.lines.map(line => /^"([^"]*)"/.exec(line)![1]!)
  }
}

const ACCEPTING = 'FORWARD of this node drops what no rule accepts: what pods forward is accepted'
const BOTH_ENDS = ['-s 10.244.0.0/16', '-d 10.244.0.0/16']

describe('what pods forward', () => {
  test('is accepted in each family whose policy drops, and in no other', async () => {
    const kept = new Kept()
    await kept.drop(IPV4)
    await kept.keeper.keep(CLUSTER)
    expect([await kept.accepted('iptables'), await kept.accepted('ip6tables')]).toEqual([BOTH_ENDS, []])
    await kept.drop(IPV6)
    await kept.run('iptables', '-P', 'FORWARD', 'ACCEPT')
    await kept.later()
    expect([await kept.accepted('iptables'), (await kept.accepted('ip6tables')).length]).toEqual([[], 2])
    expect(kept.lines).toEqual([ACCEPTING, ACCEPTING])
  })

  test('follows the ranges at once, and a family that the cluster has no more goes', async () => {
    const kept = new Kept()
    await kept.drop(IPV4, IPV6)
    await kept.keeper.keep(CLUSTER)
    await kept.keeper.keep([cidr('10.32.0.0/12')])
    expect([await kept.accepted('iptables'), await kept.accepted('ip6tables')]).toEqual([
      ['-s 10.32.0.0/12', '-d 10.32.0.0/12'],
      [],
    ])
    await kept.keeper.keep([])
    expect(await kept.accepted('iptables')).toEqual([])
  })

  test('is looked at once a minute: until then no program is started', async () => {
    const kept = new Kept()
    await kept.drop(IPV4)
    await kept.keeper.keep(CLUSTER)
    const { length } = kept.kernel.commands
    await kept.clock.advance(59_999)
    await kept.keeper.keep(CLUSTER)
    expect(kept.kernel.commands.length).toBe(length)
    await kept.clock.advance(1)
    await kept.keeper.keep(CLUSTER)
    expect(kept.kernel.commands.length).toBeGreaterThan(length)
  })

  test('is accepted again where another program has taken the rules away, which is a warning', async () => {
    const kept = new Kept()
    await kept.drop(IPV4, IPV6)
    await kept.keeper.keep(CLUSTER)
    await kept.run('iptables', '-F')
    await kept.later()
    expect(await kept.accepted('iptables')).toEqual(BOTH_ENDS)
    expect(kept.lines).toEqual([
      ...[
        ACCEPTING,
        ACCEPTING,
        'Rules that accept what pods forward were changed by another program, and are written again',
      ],
    ])
  })
})

describe('a node that is too busy to answer', () => {
  test('goes on accepting what pods forward: that the policy could not be read is no policy', async () => {
    const kept = new Kept()
    await kept.drop(IPV4, IPV6)
    await kept.keeper.keep(CLUSTER)
    for (const [program] of [IPV4, IPV6]) {
      const heal = kept.kernel.failWhen(({ argv }) => argv[0] === program && argv.includes('FORWARD'), LATE)
      await kept.later()
      expect([(await kept.accepted('iptables')).length, (await kept.accepted('ip6tables')).length]).toEqual([2, 2])
      heal()
    }
  })

  test('is an error once, and is asked again with the next round, not a minute later', async () => {
    const kept = new Kept()
    await kept.drop(IPV4)
    const heal = kept.kernel.failWhen(({ does }) => does === 'restore', LATE)
    for (let round = 0; round < 3; round++) await kept.keeper.keep(CLUSTER)
    heal()
    await kept.keeper.keep(CLUSTER)
    expect(await kept.accepted('iptables')).toEqual(BOTH_ENDS)
    expect(kept.lines).toEqual(['Rules that accept what pods forward could not be written', ACCEPTING])
  })

  test('keeps the other family, where one cannot be written', async () => {
    const kept = new Kept()
    await kept.drop(IPV4, IPV6)
    kept.kernel.failWhen(({ argv }) => argv[0] === 'iptables-restore', LATE)
    await kept.keeper.keep(CLUSTER)
    expect((await kept.accepted('ip6tables')).length).toBe(2)
  })
})

describe('chains of nftables that drop', () => {
  const WARNING = 'Chains of nftables drop what no rule of theirs accepts'
  const script = (...lines: readonly string[]) => ({
    ...anyCommand(['nft', '-f', '-']),
    input: `${lines.join('\n')}\n`,
  })
  const chain = (table: string, hook: string, policy: string) =>
    script(
      `add table ${table}`,
      `add chain ${table} through { type filter hook ${hook} priority 5 ; policy ${policy} ; }`,
    )

  test('are named once, where they would stop what pods forward', async () => {
    const kept = new Kept()
    for (const one of [
      chain('ip firewall', 'forward', 'drop'),
      chain('ip6 open', 'forward', 'accept'),
      chain('ip inbound', 'input', 'drop'),
    ])
      await must(kept.kernel, one)
    await kept.keeper.keep([])
    expect(kept.lines).toEqual([])
    await kept.keeper.keep(CLUSTER)
    await kept.later()
    expect(kept.lines).toEqual([WARNING])
    expect(kept.captured.lines[0]).toContain('chains=["ip firewall through"]')
  })

  test('are looked for again where nft did not answer, and not where there is none', async () => {
    const kept = new Kept()
    await must(kept.kernel, chain('ip firewall', 'forward', 'drop'))
    const heal = kept.kernel.failWhen(({ argv }) => argv[0] === 'nft', LATE)
    await kept.keeper.keep(CLUSTER)
    heal()
    await kept.later()
    expect(kept.lines).toEqual([WARNING])

    const without = new Kept()
    without.kernel.failWhen(({ argv }) => argv[0] === 'nft', { code: NOT_FOUND, stdout: '', stderr: '' })
    await without.keeper.keep(CLUSTER)
    const { length } = without.kernel.commands.filter(({ argv }) => argv[0] === 'nft')
    await without.later()
    expect(without.kernel.commands.filter(({ argv }) => argv[0] === 'nft').length).toBe(length)
    expect(without.lines).toEqual([])
  })
})

test('without a daemon the rules go, and only they', async () => {
  const kept = new Kept()
  await kept.drop(IPV4, IPV6)
  await kept.run('iptables', '-A', 'FORWARD', '-i', 'eth9', '-j', 'DROP')
  const before = kept.kernel.dump()
  await kept.keeper.keep(CLUSTER)
  await removeForwardRules(kept.kernel)
  expect(kept.kernel.dump()).toBe(before)
})
