import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '#cni/protocol/request.ts'
import { leftOf, NOTHING, rulesOf } from './bridge-left.ts'
import type { Pod } from './bridge-pod.ts'
import { ensured } from './bridge-requirements.ts'
import { BridgeStage, DUAL_STACK } from './bridge-stage.ts'

// A node on which our plugin takes the place of the reference's: pods that are there go by ours.

const why = await ensured()
const MASQUERADED: JsonObject = { isGateway: true, ipMasq: true, ipam: DUAL_STACK }

describe.skipIf(why !== undefined)(`a pod of another plugin${why ? ` (skipped: ${why})` : ''}`, () => {
  let stage: BridgeStage
  let pod: Pod

  beforeEach(async () => {
    stage = await BridgeStage.open()
    pod = await stage.addPod()
  })
  afterEach(() => stage.end())

  const rules = (): Promise<readonly string[]> => rulesOf(stage)
  const everything = () => leftOf(stage)

  describe('made by Debian’s plugin', () => {
    const config = { ...MASQUERADED, macspoofchk: true }

    test('is taken back by a DEL, with its namespace or without', async () => {
      const previous = await stage.reference('ADD', pod, { config })
      expect((await rules()).length).toBeGreaterThan(8)
      await stage.call('DEL', pod, { config, previous: previous! })
      expect(await everything()).toEqual(NOTHING)
      const other = await stage.addPod()
      await stage.reference('ADD', other, { config })
      await other.leave()
      await stage.call('DEL', other, { config, without: 'namespace' })
      expect(await rules()).toEqual([])
    })

    test('is taken back by GC, but for what does not say which network it is of', async () => {
      const previous = await stage.reference('ADD', pod, { config: MASQUERADED })
      const valid = [{ container: pod.container, ifname: 'eth0' }]
      await stage.call('GC', pod, { config: MASQUERADED, valid })
      await stage.call('CHECK', pod, { config: { ...MASQUERADED, ipam: undefined }, previous: previous! })
      await stage.call('GC', pod, { config: MASQUERADED, valid: [] })
      expect(await rules()).toEqual([])
    })

    test('with two interfaces, one goes without the other', async () => {
      const first = await stage.reference('ADD', pod, { config: MASQUERADED })
      const second = await stage.reference('ADD', pod, {
        config: { ...MASQUERADED, ipam: { ...DUAL_STACK, routes: [] } },
        ifname: 'net1',
      })
      await stage.call('DEL', pod, { config: MASQUERADED, ifname: 'net1', previous: second! })
      await stage.call('CHECK', pod, { config: { ...MASQUERADED, ipam: undefined }, previous: first! })
      await stage.call('DEL', pod, { config: MASQUERADED, previous: first! })
      expect(await rules()).toEqual([])
    })
  })

  /** As the reference's newest version writes them. */
  test('rules of the reference’s nftables back end are taken back', async () => {
    const config = { ...MASQUERADED, ipMasqBackend: 'nftables' }
    const previous = await stage.call('ADD', pod, { config })
    const [line] = await stage.rulesWith(`id: ${pod.container}`)
    const comment = /comment "([^"]*)"/.exec(line!)![1]!
    await stage.run(
      'sh',
      '-c',
      `nft 'delete table ip switchyard_masquerade; delete table ip6 switchyard_masquerade; add table inet cni_plugins_masquerade; add chain inet cni_plugins_masquerade masq_checks; add rule inet cni_plugins_masquerade masq_checks ip saddr 10.66.0.2 masquerade comment "${comment}"; add rule inet cni_plugins_masquerade masq_checks ip saddr 10.66.0.9 masquerade comment "of another"'`,
    )
    await stage.call('DEL', pod, { config, previous })
    expect(await rules()).toEqual([])
    expect(await stage.rulesWith('of another')).toHaveLength(1)
  })
})
