import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type Lab, openLab } from '#lab/network/lab.ts'
import { ipvsSetup } from '#proxy/modes/ipvs/setup.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { FAMILIES } from '#values/address.ts'
import { pods, Stage } from '../../kernel/story-stage.ts'
import { modeOf, SETUP } from '../../proxy/modes/ipvs/scene.ts'
import { forIpvs } from '../../stories/exceptions.ts'
import { storyOf } from '../../stories/story.ts'
import { PATIENCE_MS } from '../stage.ts'
import { suite } from '../suite.ts'

// Stories of ipvs mode, with real packets, on a lab of their own: their pods are others.

/** Machines and tests are started in the project's folder. */
const FOLDER = 'fixtures/stories'
/** A play takes three seconds here, so it is not all of them: those in which much depends on what IPVS does with a packet. */
const TITLES = [
  'claims-external-ip',
  'cluster-ip-hairpin',
  'cluster-ip-host-network-endpoint',
  'cluster-ip-new-address',
  'cluster-ip-one-name-two-protocols',
  'cluster-ip-slice-changes-hands',
  'conditions-terminating-fallback',
  'connections-first-pod',
  'dual-stack-both',
  'dual-stack-ipv6-hairpin',
  'dual-stack-ipv6-local-policies',
  'dual-stack-ipv6-source-ranges',
  'external-ip-cluster',
  'external-ip-is-the-nodes-own',
  'external-local-hairpin',
  'external-local-short-circuits',
  'hints-zones',
  'internal-and-external-local',
  'load-balancer-source-ranges-and-the-node',
  'load-balancer-source-ranges-for-pods',
  'masquerade-all',
  'masquerade-highest-bit',
  'node-port-addresses-follow-the-machine',
  'node-port-every-address',
  'node-port-hairpin',
  'node-port-moves',
]

interface Theatre {
  readonly lab: Lab
  readonly stage: Stage
}

async function play({ stage }: Theatre, title: string): Promise<void> {
  const file = `${FOLDER}/${title}.story`
  const parsed = storyOf(file, readFileSync(file, 'utf8'))
  const { failures, sent } = await stage.play(forIpvs(parsed).story)
  assert.equal(failures.join('\n'), '')
  assert.ok(sent > 0, 'no packet was sent')
}

export const ipvsStories = suite<Theatre>('stories of ipvs mode', {
  async open() {
    const lab = await openLab(hostKernel(), { pods: pods([2, 5, 6, 7, 9, 10, 11]), patienceMs: PATIENCE_MS })
    const stage = new Stage(lab, modeOf)
    await stage.layRoutes()
    for (const family of FAMILIES) assert.equal(await ipvsSetup(lab.node.kernel, { ...SETUP, family }), undefined)
    return { lab, stage }
  },
  close: ({ lab }) => lab.close(),
  checks: Object.fromEntries(TITLES.map(title => [title, (theatre: Theatre) => play(theatre, title)])),
})
