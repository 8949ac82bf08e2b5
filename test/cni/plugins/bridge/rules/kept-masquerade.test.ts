import { beforeEach, describe, expect, test } from 'vitest'
import type { MasqueradeChoice } from '#cni/plugins/bridge/configuration.ts'
import { masqueradeBy } from '#cni/plugins/bridge/rules/choice.ts'
import { keptMasquerade } from '#cni/plugins/bridge/rules/kept-masquerade.ts'
import type { KeptRules } from '#ipam/leases/rules/rule-book.ts'
import { paperMachine } from '../../../parts.ts'
import { RuleKernel } from '../../rules/rule-kernel.ts'
import { at, DUAL, HOLDER } from './masquerades.ts'

let kernel: RuleKernel
beforeEach(() => {
  kernel = new RuleKernel()
})

const parts = () => ({ ...paperMachine(), kernel })
const kept = (masquerade: MasqueradeChoice, ips = DUAL, container = 'c1'): KeptRules => ({
  ...{ holder: { ...HOLDER, container }, kind: 'masquerade', netns: '', namespaceId: '', boot: '' },
  wanted: JSON.stringify({ masquerade, ips }),
})
const isSeen = async (rules: KeptRules) => (await keptMasquerade.look(parts()))(rules)
const isWhole = (rules: KeptRules) => keptMasquerade.isWhole(rules, parts())

describe.each<MasqueradeChoice>(['iptables', 'nftables', 'either'])('masquerade by %s that is kept', choice => {
  test('is seen and whole once it was written, and gone after a flush; written again, it is as it was', async () => {
    const rules = kept(choice)
    await masqueradeBy(choice, parts())!.add(HOLDER, DUAL)
    const whole = kernel.dump()
    expect([await isSeen(rules), await isWhole(rules)]).toEqual([true, true])
    kernel.flush()
    expect([await isSeen(rules), await isWhole(rules)]).toEqual([false, false])
    await keptMasquerade.write(rules, parts())
    expect(kernel.dump()).toEqual(whole)
    await keptMasquerade.write(rules, parts())
    expect(kernel.dump()).toEqual(whole)
    await keptMasquerade.remove(rules, parts())
    expect([await isSeen(rules), await isWhole(rules)]).toEqual([false, false])
  })

  test('of which one address is left is written whole, and of no other pod', async () => {
    const other = kept(choice, at('10.1.2.9/16'), 'c2')
    await keptMasquerade.write(other, parts())
    await keptMasquerade.write(kept(choice, at('10.1.2.3/16')), parts())
    const rules = kept(choice)
    expect([await isSeen(rules), await isSeen(other)]).toEqual([false, true])
    await keptMasquerade.write(rules, parts())
    expect([await isSeen(rules), await isWhole(rules), await isWhole(other)]).toEqual([true, true, true])
  })
})
