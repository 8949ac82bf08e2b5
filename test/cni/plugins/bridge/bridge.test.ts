import { beforeEach, expect, test } from 'vitest'
import { bridge } from '#cni/plugins/bridge/bridge.ts'
import { BridgeStage, GATEWAY } from './bridge-stage.ts'

let stage: BridgeStage
beforeEach(() => {
  stage = new BridgeStage()
})

const status = (config: object = GATEWAY) => bridge.status(stage.request('STATUS', config), stage.parts)

test('STATUS is IPAM’s where the bridge is one, or is still to be made', async () => {
  await status()
  stage.networks.node.put('cni0', { kind: 'bridge' })
  await status()
  expect(stage.networks.calls).toEqual(['ipam status', 'ipam status'])
  await status({})
  expect(stage.networks.calls).toHaveLength(2)
  expect(stage.networks.held).toBe(0)
})

test('STATUS of a bridge that is none says so, and asks no further', async () => {
  stage.networks.node.put('cni0', { kind: 'dummy' })
  await expect(status()).rejects.toMatchObject({ code: 50, message: '"cni0" already exists but is not a bridge' })
  expect([stage.networks.calls, stage.networks.held]).toEqual([[], 0])
})

test('an ADD into a namespace that is gone says which, and takes nothing', async () => {
  stage.networks.podIsGone = true
  await expect(stage.add()).rejects.toThrow('failed to open netns "/run/netns/c1": cannot open the network namespace')
  expect([stage.networks.calls, stage.networks.held]).toEqual([[], 0])
})
