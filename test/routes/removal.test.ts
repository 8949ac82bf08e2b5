import { expect, test } from 'vitest'
import { removeRoutes } from '#routes/removal.ts'
import { NOT_FOUND } from '#system/ports.ts'
import { FAR, NEAR, RouteStage } from './stage.ts'

const WITHOUT_PROGRAMS = { run: async () => ({ code: NOT_FOUND, stdout: '', stderr: '' }) }

test('all of ours goes, also on a node without nft and iptables; what others have made stays', async () => {
  const stage = new RouteStage()
  const before = stage.others
  await stage.round(NEAR, FAR)
  const { network } = stage.routing
  expect(await removeRoutes(network, WITHOUT_PROGRAMS)).toEqual({ routes: 4, overlay: 'removed' })
  expect([stage.laid, stage.others, stage.tunnels]).toEqual([[], before, []])
  expect(await removeRoutes(network, WITHOUT_PROGRAMS)).toEqual({ routes: 0, overlay: 'none' })
})
