import { describe, expect, test } from 'vitest'
import { masqueradedByNftables, nftablesMasquerade } from '#cni/plugins/bridge/rules/masquerade-nftables.ts'
import { interfaceComment } from '#cni/plugins/bridge/rules/names.ts'
import type { RulesetChange } from '#system/ports.ts'
import { RuleKernel } from '../../rules/rule-kernel.ts'
import { at, DUAL, HOLDER, masquerades } from './masquerades.ts'

const isElement = (line: string) => line.startsWith('element')

describe('masquerade by nftables', () => {
  masquerades({ make: nftablesMasquerade, isOfPod: isElement })

  test('the first pod of a range brings its chain, the next one is one command', async () => {
    const kernel = new RuleKernel()
    const by = nftablesMasquerade({ kernel })
    await by.add(HOLDER, DUAL)
    const first = kernel.commands.length
    await by.add({ ...HOLDER, container: 'c2' }, at('10.1.9.9/16', 'fd00:1::9/64'))
    expect(kernel.commands.length - first).toBe(1)
    await by.add({ ...HOLDER, container: 'c3' }, at('10.2.0.9/16'))
    expect(kernel.nft.dump().filter(line => line.startsWith('chain'))).toEqual([
      'chain ip switchyard_masquerade postrouting',
      'chain ip switchyard_masquerade from-10.1.0.0/16',
      'chain ip switchyard_masquerade from-10.2.0.0/16',
      'chain ip6 switchyard_masquerade postrouting',
      'chain ip6 switchyard_masquerade from-fd00_1__/64',
    ])
  })

  test('an address that another had who never gave it back is the new one’s', async () => {
    const kernel = new RuleKernel()
    const by = nftablesMasquerade({ kernel })
    const next = { ...HOLDER, container: 'c2' }
    await by.add(HOLDER, DUAL)
    await by.add(next, DUAL)
    expect([await by.missing(next, DUAL), await by.missing(HOLDER, DUAL)]).toEqual([[], DUAL])
    expect(await by.remove(HOLDER, DUAL)).toBe(false)
    expect(await by.missing(next, DUAL)).toEqual([])
  })

  test('another pod that comes between the look and the change does not stop it; one that always does, in the end', async () => {
    const racing = (times: number) => {
      const kernel = new RuleKernel()
      let left = times
      kernel.fate = ({ input = '' }) =>
        input.includes('add table') && left-- > 0 ? { code: 1, stdout: '', stderr: 'File exists' } : undefined
      return { kernel, by: nftablesMasquerade({ kernel }) }
    }
    const { by } = racing(3)
    await by.add(HOLDER, DUAL)
    expect(await by.missing(HOLDER, DUAL)).toEqual([])
    const { by: hopeless, kernel } = racing(99)
    await expect(hopeless.add(HOLDER, DUAL)).rejects.toThrow('File exists')
    expect(kernel.nft.dump()).toEqual([])
  })

  test('an element without the rule that asks for it, or without its chain’s rule, masquerades nothing', async () => {
    for (const flushed of ['postrouting', 'from-10.1.0.0/16']) {
      const kernel = new RuleKernel()
      const by = nftablesMasquerade({ kernel })
      await by.add(HOLDER, at('10.1.2.3/16'))
      kernel.nft.run({
        does: 'write',
        argv: ['nft', '-f', '-'],
        input: `flush chain ip switchyard_masquerade ${flushed}\n`,
      })
      expect(await by.missing(HOLDER, at('10.1.2.3/16'))).toHaveLength(1)
    }
  })

  test('rules of the reference plugin go where there are none of ours', async () => {
    const kernel = new RuleKernel()
    const table = 'inet cni_plugins_masquerade'
    const rule = (container: string) =>
      `add rule ${table} masq_checks ip saddr 10.1.2.3 masquerade comment "${interfaceComment({ ...HOLDER, container })}"`
    const input = [`add table ${table}`, `add chain ${table} masq_checks`, rule('c1'), rule('c2')].join('\n')
    kernel.nft.run({ does: 'write', argv: ['nft', '-f', '-'], input })
    const by = nftablesMasquerade({ kernel })
    expect(await by.remove(HOLDER, DUAL)).toBe(true)
    expect(kernel.nft.dump().filter(line => line.includes('saddr'))).toHaveLength(1)
    await by.keepOnly('mynet', [])
    expect(kernel.nft.dump().filter(line => line.includes('saddr'))).toEqual([])
  })
})

describe('where the ruleset can be asked and changed without a process', () => {
  const stage = (answers: boolean) => {
    const kernel = new RuleKernel()
    const changes: RulesetChange[] = []
    const key = Buffer.from('0a010203', 'hex')
    const elements = ({ family }: { readonly family: string }) =>
      family === 'ipv4' ? [{ key, comment: interfaceComment(HOLDER) }, { key: Buffer.from('0a010204', 'hex') }] : []
    const change = (all: readonly RulesetChange[]) => {
      changes.push(...all)
      return answers
    }
    return { kernel, changes, elements, by: nftablesMasquerade({ kernel, elements, change }) }
  }

  test('all addresses are added at once, or by the program', async () => {
    const { kernel, changes, by } = stage(true)
    await by.add(HOLDER, DUAL)
    expect(changes.map(one => ('key' in one ? one.key.toString('hex') : ''))).toEqual([
      '0a010203',
      'fd000001000000000000000000000005',
    ])
    expect(kernel.commands).toEqual([])
    const refusing = stage(false)
    await refusing.by.add(HOLDER, at('10.1.2.5/16'))
    expect(refusing.kernel.nft.dump().filter(isElement)).toHaveLength(1)
  })

  test('this interface’s elements are removed, and no other', async () => {
    const { kernel, changes, by } = stage(true)
    expect(await by.remove(HOLDER, [])).toBe(true)
    expect(changes).toEqual([expect.objectContaining({ do: 'delete element', key: Buffer.from('0a010203', 'hex') })])
    expect(kernel.commands).toEqual([])
  })

  test('what is masqueraded is said in addresses', async () => {
    const { kernel, elements } = stage(true)
    const hasChain = () => true
    expect(await masqueradedByNftables({ kernel, elements, hasChain })).toEqual(['10.1.2.3', '10.1.2.4'])
    expect(await masqueradedByNftables({ kernel, elements, hasChain: () => false })).toEqual([])
  })
})
