import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { iptablesBackend } from '#routes/masquerade/iptables-backend.ts'
import { MasqueradeKeeper, type OutboundChoice } from '#routes/masquerade/masquerade-keeper.ts'
import { nftablesBackend } from '#routes/masquerade/nftables-backend.ts'
import { must } from '#system/must.ts'
import { NOT_FOUND } from '#system/ports.ts'
import { cidr } from '../../routes/stage.ts'
import { captureLog } from '../../support/captured-log.ts'
import { cannotRun, type Namespace, newNamespace } from '../namespace.ts'

// Rules for what leaves the cluster, by the real tools.

const why = cannotRun('iptables', 'nft')
const OWN = ['10.244.1.0/24', 'fd00:244:1::/64'].map(cidr)
const RANGES = { own: OWN, cluster: ['10.244.0.0/16', 'fd00:244::/32'].map(cidr) }

describe.skipIf(why !== undefined)(`what leaves the cluster${why ? ` (skipped: ${why})` : ''}`, () => {
  let namespace: Namespace
  beforeEach(async () => {
    namespace = await newNamespace('outbound')
  })
  afterEach(() => namespace.end())

  const run = async (...argv: readonly [string, ...string[]]) => (await must(namespace.kernel, anyCommand(argv))).stdout

  const BREAKING: Readonly<Record<'nftables' | 'iptables', readonly (readonly [string, ...string[]])[]>> = {
    nftables: [
      ['nft', 'flush', 'chain', 'ip', 'switchyard_outbound', 'postrouting'],
      ['nft', 'delete', 'table', 'ip6', 'switchyard_outbound'],
      ['nft', 'add', 'rule', 'ip', 'switchyard_outbound', 'postrouting', 'counter'],
    ],
    iptables: [
      ['iptables', '-t', 'nat', '-F'],
      ['ip6tables', '-t', 'nat', '-F', 'POSTROUTING'],
      ['iptables', '-t', 'nat', '-D', 'SWITCHYARD-OUTBOUND', '1'],
    ],
  }

  test.each(['nftables', 'iptables'] as const)(
    '%s: rules are whole, are found to be broken, and are whole again',
    async name => {
      const backend = { nftables: nftablesBackend, iptables: iptablesBackend }[name](namespace.kernel)
      expect(await backend.isWhole(RANGES)).toBe(false)
      await backend.write(RANGES)
      expect(await backend.isWhole(RANGES)).toBe(true)
      for (const breaking of BREAKING[name]) {
        await run(...breaking)
        expect([breaking, await backend.isWhole(RANGES)]).toEqual([breaking, false])
        await backend.write(RANGES)
        expect(await backend.isWhole(RANGES)).toBe(true)
      }
      const [jumps] = [(await run('iptables-save', '-t', 'nat')).match(/-j SWITCHYARD-OUTBOUND/g)?.length ?? 0]
      expect(jumps).toBe(name === 'iptables' ? 1 : 0)
    },
  )

  test.each(['nftables', 'iptables'] as const)(
    '%s: other ranges take the place of those before, and a family may go',
    async name => {
      const backend = { nftables: nftablesBackend, iptables: iptablesBackend }[name](namespace.kernel)
      await backend.write(RANGES)
      const ring = { own: ['10.32.0.0/14', '10.40.0.64/26'].map(cidr), cluster: [cidr('10.32.0.0/12')] }
      await backend.write(ring)
      expect([await backend.isWhole(ring), await backend.isWhole(RANGES)]).toEqual([true, false])
      const said = await run('nft', 'list', 'ruleset')
      expect(said).toContain('10.40.0.64/26')
      expect(said).not.toMatch(/10\.244|fd00/)
    },
  )

  test.each(['nftables', 'iptables'] as const)('%s: rules of others stay when ours go', async name => {
    await run('iptables', '-t', 'nat', '-A', 'POSTROUTING', '-s', '10.9.0.0/24', '-j', 'MASQUERADE')
    const before = await run('iptables-save', '-t', 'nat')
    const backend = { nftables: nftablesBackend, iptables: iptablesBackend }[name](namespace.kernel)
    await backend.write(RANGES)
    await backend.remove()
    await backend.remove()
    const without = (text: string) => text.split('\n').filter(line => !/^[#:]/.test(line))
    expect(without(await run('iptables-save', '-t', 'nat'))).toEqual(without(before))
    expect(await run('nft', 'list', 'ruleset')).not.toMatch(/switchyard_outbound|SWITCHYARD/)
  })

  function keeper(choice: OutboundChoice, absent = '') {
    const [clock, captured, observed] = [new PaperClock(), captureLog(0), [] as string[]]
    const kernel: typeof namespace.kernel = {
      run: command =>
        command.argv[0] === absent
          ? Promise.resolve({ code: NOT_FOUND, stdout: '', stderr: '' })
          : namespace.kernel.run(command),
    }
    const parts = { choice, kernel, clock, log: captured.log, observed: (said: string) => void observed.push(said) }
    return { kept: new MasqueradeKeeper(parts), clock, observed, lines: captured.lines }
  }

  test('are repaired within a minute, which is logged and counted', async () => {
    const { kept, clock, observed, lines } = keeper('auto')
    await kept.keep(RANGES)
    await run('nft', 'delete', 'table', 'ip', 'switchyard_outbound')
    await kept.keep(RANGES)
    expect(await run('nft', 'list', 'ruleset')).not.toContain('10.244.1.0/24')
    await clock.advance(60_000)
    await kept.keep(RANGES)
    expect(await run('nft', 'list', 'ruleset')).toContain('10.244.1.0/24')
    expect(observed).toEqual(['begun', 'repaired'])
    expect(lines).toEqual([
      '"Masquerading what leaves the cluster" from=["10.244.1.0/24","fd00:244:1::/64"] cluster=["10.244.0.0/16","fd00:244::/32"] by="nftables"',
      '"Rules for what leaves the cluster were changed by another program, and are written again" by="nftables"',
    ])
  })

  test('without nft are iptables’, and what an earlier daemon has left there is gone', async () => {
    const first = keeper('auto', 'nft')
    await first.kept.keep(RANGES)
    expect(await run('iptables-save', '-t', 'nat')).toContain('SWITCHYARD-OUTBOUND')
    await keeper('nftables').kept.keep(RANGES)
    expect(await run('nft', 'list', 'ruleset')).toContain('switchyard_outbound')
    expect(await run('iptables-save', '-t', 'nat')).not.toContain('SWITCHYARD')
    await keeper('none').kept.keep(RANGES)
    expect(await run('nft', 'list', 'ruleset')).not.toContain('switchyard_outbound')
  })
})
