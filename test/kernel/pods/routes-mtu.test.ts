import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ensured } from './bridge-requirements.ts'
import { BridgeStage, DUAL_STACK, type StageVariant } from './bridge-stage.ts'

// A node with an overlay: its pods send no more than that carries. The link here is no VXLAN, which many kernels lack.

const why = await ensured()
const VARIANTS: readonly StageVariant[] = ['nft', 'commands']

describe.skipIf(why !== undefined)(`pods beside an overlay${why ? ` (skipped: ${why})` : ''}`, () => {
  describe.each(VARIANTS)('%s', variant => {
    let stage: BridgeStage
    beforeEach(async () => {
      stage = await BridgeStage.open(variant)
      await stage.run('ip', 'link', 'add', 'switchyard-vx', 'mtu', '1450', 'type', 'veth', 'peer', 'name', 'far')
    })
    afterEach(() => stage.end())

    const mtus = async (config: object) => {
      const pod = await stage.addPod()
      const { interfaces } = await stage.call('ADD', pod, { config: { isGateway: true, ipam: DUAL_STACK, ...config } })
      const of = async (text: Promise<string>) => Number(/mtu (\d+)/.exec(await text)?.[1])
      const [bridge, port] = interfaces.slice(0, 2).map(({ name }) => of(stage.run('ip', 'link', 'show', 'dev', name)))
      return [await of(pod.run('ip', 'link', 'show', 'dev', 'eth0')), await port, await bridge]
    }

    test('have its MTU at both ends, and the bridge follows', async () => {
      expect(await mtus({})).toEqual([1450, 1450, 1450])
    })

    test('have the one of their configuration where it names one', async () => {
      expect((await mtus({ mtu: 1300 })).slice(0, 2)).toEqual([1300, 1300])
    })
  })
})
