import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checked, collected, type LeakCommandParts } from '#cni/leaks/commands.ts'
import { address } from '../../support/leases.ts'
import { PaperNode } from './paper-node.ts'

// `ipam gc` and `ipam check` on a node whose witnesses are on paper.

let node: PaperNode
beforeEach(async () => {
  node = new PaperNode()
  for (const container of ['a', 'b']) await node.add(container)
  await node.minutes(2)
})
afterEach(() => node.close())

const parts = (more: Partial<LeakCommandParts> = {}): LeakCommandParts => ({
  round: node.parts,
  takeBack: node.takeBackParts,
  faults: async () => [],
  apiFailure: () => undefined,
  ...more,
})

/** Rounds of the daemon, until it is leaked. */
async function leak(container: string): Promise<void> {
  node.vanish(container)
  for (let i = 0; i < 2; i++) {
    await node.round()
    await node.minutes(1)
  }
}

/** All that is kept of leases and their leaks. */
const kept = async () => [
  await node.held(),
  await node.leaks.suspicions(),
  await node.leaks.conflicts(),
  node.book.counts(),
]

const NOTHING = 'Nothing was changed: --free takes back what is LEAKED.'
const SUSPECT = 'What is SUSPECT is leaked once no witness has named it in three rounds, a minute apart.'
const why = (rounds: string) =>
  `not in use by its network namespace and the runtime's results and the API server, ${rounds}`

describe('ipam gc', () => {
  test('of a node where all is well says so', async () => {
    for (const does of ['print', 'free'] as const)
      expect(await collected(parts(), does)).toEqual({ text: '2 attachments: 2 in use', status: 0 })
  })

  test('without --free shows what is leaked, and changes nothing, however often it is asked', async () => {
    await leak('a')
    node.vanish('b')
    node.namespaces.set('/run/netns/c', { id: '4:9', addresses: new Set() })
    const before = await kept()
    for (let i = 0; i < 4; i++) {
      expect(await collected(parts(), 'print')).toEqual({
        text: [
          'IP         POD         VERDICT   WHY',
          `10.9.0.2   default/a   LEAKED    ${why('in 3 rounds')}`,
          `10.9.0.3   default/b   SUSPECT   ${why('1 of 3 rounds')}`,
          NOTHING,
          SUSPECT,
          '2 attachments: 0 in use, 1 suspect, 1 leaked',
        ].join('\n'),
        status: 0,
      })
      await node.minutes(1)
    }
    expect(await kept()).toEqual(before)
    expect(node.commands).toEqual([])
  })

  test('with --free takes back what is leaked and nothing else, and its round counts', async () => {
    await leak('a')
    node.vanish('b')
    const { text, status } = await collected(parts(), 'free')
    expect([status, text.split('\n').slice(1)]).toEqual([
      0,
      [
        `10.9.0.2   default/a   FREED     ${why('in 3 rounds')}`,
        `10.9.0.3   default/b   SUSPECT   ${why('1 of 3 rounds')}`,
        SUSPECT,
        '2 attachments: 0 in use, 1 suspect, 1 leaked, of which 1 was taken back',
      ],
    ])
    expect(await node.held()).toEqual([JSON.stringify(['mynet', 'b', 'eth0'])])
    await node.minutes(1)
    expect((await collected(parts(), 'free')).text).toContain('2 of 3 rounds')
  })

  test('with --free says what could not be taken back, and ends with 1', async () => {
    await leak('a')
    const kernel = { run: async () => ({ code: 4, stdout: '', stderr: 'the xtables lock is held' }) }
    const { text, status } = await collected(parts({ takeBack: { ...node.takeBackParts, kernel } }), 'free')
    expect(status).toBe(1)
    expect(text).toMatch(
      /^10\.9\.0\.2 +default\/a +LEAKED +.* in 3 rounds; not taken back: .*the xtables lock is held/m,
    )
    expect(text).toMatch(/^2 attachments: 1 in use, 1 leaked$/m)
    expect(await node.held()).toHaveLength(2)
  })

  test('with --free leaves what has changed since it was looked at', async () => {
    await leak('a')
    const takeBack = { ...node.takeBackParts, forgetConnections: () => {}, dhcpLeases: async () => giveAnew() }
    const giveAnew = async () => {
      await node.del('a')
      await node.add('a')
      return undefined as never
    }
    const { text, status } = await collected(parts({ takeBack }), 'free')
    expect([text, status]).toEqual([expect.stringMatching(/^10\.9\.0\.2 +default\/a +CHANGED /m), 0])
    expect(await node.held()).toHaveLength(2)
  })
})

describe('a witness that does not answer', () => {
  test.each([
    ['api', 'connection refused', 'The API server could not be asked (connection refused)'],
    ['api', undefined, 'The API server could not be asked'],
    ['runtime', 'connection refused', "The runtime's results could not be asked"],
    ['namespace', undefined, 'Some network namespaces could not be asked'],
  ] as const)('is named: %s, %s', async (name, failure, sentence) => {
    node.failing.add(name)
    const answers = [
      await collected(parts({ apiFailure: () => failure }), 'free'),
      await checked(parts({ apiFailure: () => failure })),
    ]
    for (const { text } of answers)
      expect(text.split('\n')).toContain(`${sentence}: what might be in use by that is not freed.`)
    expect(answers.map(({ status }) => status)).toEqual([0, 1])
  })
})

describe('ipam check', () => {
  test('of a node where all is well, and of a pod that is new, ends with 0', async () => {
    await node.add('c')
    node.vanish('c')
    expect(await checked(parts())).toEqual({ text: '3 attachments: 2 in use, 1 new', status: 0 })
  })

  test('shows what one witness names and another does not, which may be so', async () => {
    node.results.clear()
    const { text, status } = await checked(parts())
    expect([text, status]).toEqual([
      expect.stringMatching(/^10\.9\.0\.2 +default\/a +ASSIGNED +in use by .*, but not by /m),
      0,
    ])
  })

  test('ends with 1 for what is in doubt, for a conflict, and for a fault of the database', async () => {
    const faulty = await checked(parts({ faults: async () => ['index lease_ip is broken'] }))
    expect(faulty).toEqual({ text: 'index lease_ip is broken\n2 attachments: 2 in use', status: 1 })
    node.vanish('a')
    expect((await checked(parts())).status).toBe(1)
    await node.del('a')
    expect((await checked(parts())).status).toBe(0)
    node.namespaces.get('/run/netns/b')!.addresses.add(address('10.9.0.6'))
    const { text, status } = await checked(parts())
    expect([text, status]).toEqual([
      [
        'IP         POD         VERDICT    WHY',
        '10.9.0.6   default/b   CONFLICT   in use on eth0 in /run/netns/b without a lease',
        '1 attachment: 1 in use; 1 address in conflict',
      ].join('\n'),
      1,
    ])
  })

  test('changes nothing', async () => {
    node.vanish('a')
    const before = await kept()
    await checked(parts())
    expect(await kept()).toEqual(before)
  })
})
