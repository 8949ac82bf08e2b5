import { describe, expect, test } from 'vitest'
import { iptablesMasquerade } from '#cni/plugins/bridge/rules/masquerade-iptables.ts'
import { ownChain, referenceChain } from '#cni/plugins/bridge/rules/names.ts'
import type { RuleJump, RulesetChange } from '#system/ports.ts'
import { RuleKernel } from '../../rules/rule-kernel.ts'
import { at, DUAL, HOLDER, masquerades } from './masquerades.ts'

describe('masquerade by iptables', () => {
  masquerades({
    make: iptablesMasquerade,
    isOfPod: () => true,
    // The reference's chain, which may be that of the other interface as well.
    mayStay: (one, valid) => one.container === valid.container && one.ifname === 'eth0',
  })
})

const SECOND = { ...HOLDER, ifname: 'net1' }

/** Rules of the reference plugin for two interfaces of one container: both lead to one chain. */
async function referenceRules(kernel: RuleKernel): Promise<void> {
  const by = iptablesMasquerade({ kernel })
  await by.add(HOLDER, at('10.1.2.3/16', '10.1.2.4/16'))
}

describe('rules of the reference plugin', () => {
  test('of a second interface go by its addresses, and the chain with the last of them', async () => {
    const kernel = new RuleKernel()
    await referenceRules(kernel)
    const by = iptablesMasquerade({ kernel })
    expect(await by.remove(SECOND, at('10.1.2.4/16'))).toBe(true)
    expect(kernel.dump().filter(line => line.includes('POSTROUTING'))).toEqual([
      expect.stringContaining('-s 10.1.2.3/32'),
    ])
    expect(await by.remove(SECOND, at('10.1.2.3/16'))).toBe(true)
    expect(kernel.dump()).toEqual([])
  })

  test('of the first interface stay where the second is removed, and its addresses are not known', async () => {
    const kernel = new RuleKernel()
    const by = iptablesMasquerade({ kernel })
    await by.add(HOLDER, DUAL)
    await by.add(SECOND, at('10.1.2.9/16'))
    expect(await by.remove(SECOND, [])).toBe(true)
    await by.add(SECOND, at('10.1.2.9/16'))
    expect(await by.remove(SECOND, at('10.1.2.9/16'))).toBe(true)
    expect(await by.missing(HOLDER, DUAL)).toEqual([])
  })

  test('count for CHECK as ours do', async () => {
    const kernel = new RuleKernel()
    await referenceRules(kernel)
    expect(await iptablesMasquerade({ kernel }).missing(SECOND, at('10.1.2.3/16', '10.1.2.4/16'))).toEqual([])
  })

  test('stay with a GC as long as any interface of the container does', async () => {
    const kernel = new RuleKernel()
    await referenceRules(kernel)
    const before = kernel.dump()
    await iptablesMasquerade({ kernel }).keepOnly('mynet', [SECOND])
    expect(kernel.dump()).toEqual(before)
    await iptablesMasquerade({ kernel }).keepOnly('mynet', [])
    expect(kernel.dump()).toEqual([])
  })
})

describe('where the ruleset can be asked and changed without a process', () => {
  const stage = (jumps: readonly RuleJump[]) => {
    const kernel = new RuleKernel()
    const changes: RulesetChange[] = []
    const has = new Set([ownChain(HOLDER)])
    const parts = {
      kernel,
      hasChain: ({ family, chain }: { family: string; chain: string }) => family === 'ipv4' && has.has(chain),
      jumps: () => jumps,
      change: (all: readonly RulesetChange[]) => void changes.push(...all) === undefined,
    }
    return { kernel, changes, by: iptablesMasquerade(parts) }
  }
  const leading = (handle: number): RuleJump => ({ handle: Buffer.from([handle]), target: referenceChain(HOLDER) })

  test('a pod’s rules go so, in the family that has them, and other rules stay', async () => {
    const other = { handle: Buffer.from([9]), target: 'KUBE-POSTROUTING' }
    const { kernel, changes, by } = stage([other, leading(7)])
    expect(await by.remove(HOLDER, DUAL)).toBe(true)
    expect(changes.map(one => [one.do, 'handle' in one ? one.handle[0] : one.at.family])).toEqual([
      ['delete rule', 7],
      ['flush chain', 'ip'],
      ['delete chain', 'ip'],
    ])
    expect(kernel.commands).toEqual([])
  })

  test('a chain that nothing leads to goes, too', async () => {
    const { changes, by } = stage([])
    expect(await by.remove(HOLDER, DUAL)).toBe(true)
    expect(changes.map(one => one.do)).toEqual(['flush chain', 'delete chain'])
  })

  test('a chain with more rules than this interface has addresses is another’s, too: a program looks whose they are', async () => {
    const { kernel, changes, by } = stage([leading(7), leading(8)])
    await by.remove(HOLDER, DUAL)
    expect(changes).toEqual([])
    expect(kernel.commands.map(({ argv }) => argv[0])).toEqual(['iptables'])
  })

  test('an interface without rules costs no process', async () => {
    const { kernel, by } = stage([])
    expect(await by.remove({ ...HOLDER, container: 'c2' }, DUAL)).toBe(false)
    expect(kernel.commands).toEqual([])
  })
})

test('rules are removed behind another program that holds the lock', async () => {
  const kernel = new RuleKernel()
  const by = iptablesMasquerade({ kernel })
  await by.add(HOLDER, DUAL)
  kernel.fate = ({ argv }) =>
    argv.includes('-S') && !argv.includes('-w') ? { code: 4, stdout: '', stderr: 'the lock is held' } : undefined
  expect([await by.remove(HOLDER, DUAL), kernel.dump()]).toEqual([true, []])
})

test('a node without iptables has nothing to be removed, and nothing stands there', async () => {
  const kernel = new RuleKernel()
  kernel.absent.add('iptables')
  const by = iptablesMasquerade({ kernel })
  expect([await by.remove(HOLDER, DUAL), await by.missing(HOLDER, DUAL)]).toEqual([false, DUAL])
  await by.keepOnly('mynet', [])
  await expect(by.add(HOLDER, DUAL)).rejects.toThrow('iptables-restore')
})
