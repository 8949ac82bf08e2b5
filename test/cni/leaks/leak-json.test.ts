import { afterEach, beforeEach, expect, test } from 'vitest'
import { checked, collected, type LeakCommandParts } from '#cni/leaks/commands.ts'
import { leakJson } from '#cni/leaks/leak-json.ts'
import { PaperNode } from './paper-node.ts'

// `ipam gc -o json` and `ipam check -o json`: what a program reads of a round.

let node: PaperNode
beforeEach(async () => {
  node = new PaperNode()
  for (const container of ['a', 'b']) await node.add(container)
  await node.minutes(2)
})
afterEach(() => node.close())

const parts = (more: Partial<LeakCommandParts> = {}): LeakCommandParts => ({
  ...{ round: node.parts, takeBack: node.takeBackParts, output: 'json' },
  ...{ faults: async () => [], apiFailure: () => undefined, ...more },
})

test('every attachment has its addresses, the verdict and the witnesses', async () => {
  node.vanish('b')
  const { text, status } = await checked(parts({ faults: async () => ['a row without a range'] }))
  const { attachments, ...rest } = JSON.parse(text)
  expect(attachments[0]).toMatchObject({
    ...{ pod: 'default/a', container: 'a', ifname: 'eth0', network: 'mynet', addresses: ['10.9.0.2'] },
    verdict: 'live',
  })
  expect(Object.keys(attachments[0].witnesses)).toEqual(['namespace', 'runtime', 'api'])
  expect(attachments[1]).toMatchObject({ pod: 'default/b', verdict: 'suspect' })
  expect(rest).toEqual({ conflicts: [], notAsked: [], faults: ['a row without a range'] })
  expect(status).toBe(1)
})

test('what was taken back says so, and what could not be says why', async () => {
  node.vanish('a')
  for (let i = 0; i < 2; i++) {
    await node.round()
    await node.minutes(1)
  }
  const { text, status } = await collected(parts(), 'free')
  const [a, b] = JSON.parse(text).attachments
  expect([a.verdict, a.outcome, b.outcome, status]).toEqual(['leaked', 'freed', undefined, 0])
})

test('an error and a conflict are text', () => {
  const attachment = {
    holder: { network: 'mynet', container: 'a', ifname: 'eth0' },
    ...{ leases: [], verdict: { is: 'leaked', why: 'w' }, testimonies: {} },
  } as never
  const takenBack = [{ attachment, outcome: 'failed' as const, addresses: [], error: new Error('the link is busy') }]
  const conflict = { address: '10.9.0.9', container: 'c', ifname: 'eth0', netns: '/n', leasedTo: { container: 'd' } }
  const said = leakJson({ attachments: [attachment], conflicts: [conflict as never], failed: ['api'], takenBack })
  expect(JSON.parse(said)).toMatchObject({
    attachments: [{ outcome: 'failed', error: 'the link is busy' }],
    conflicts: [{ address: '10.9.0.9', leasedTo: 'd' }],
    notAsked: ['api'],
  })
})
