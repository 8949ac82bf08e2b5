import { afterEach, beforeEach, expect, test } from 'vitest'
import { takeBack } from '#cni/leaks/take-back.ts'
import { SqliteDhcpBook } from '#ipam/leases/dhcp/sqlite-dhcp-book.ts'
import { heldLeases } from '../../support/leases.ts'
import { PaperNode } from './paper-node.ts'

let node: PaperNode
beforeEach(async () => {
  node = new PaperNode()
  await node.add('a')
  await node.minutes(2)
})
afterEach(() => node.close())

async function leaked() {
  node.vanish('a')
  for (let i = 0; i < 2; i++) {
    await node.round()
    await node.minutes(1)
  }
  return (await node.round()).attachments.find(({ verdict }) => verdict.is === 'leaked')!
}

test('rules, ports, connections and the lease go, and history says why', async () => {
  const attachment = await leaked()
  const [{ address }] = attachment.leases
  expect(await takeBack(attachment, node.takeBackParts)).toMatchObject({ outcome: 'freed', addresses: [address] })
  expect(await node.held()).toEqual([])
  expect(node.forgotten).toEqual([address])
  const programs = new Set(node.commands.map(({ argv, program }) => program ?? argv[0]))
  expect([...programs].sort()).toEqual(expect.arrayContaining(['iptables', 'ip6tables', 'nft']))
  const [past] = await node.leaks.ended(node.boot, 10)
  expect(past!.why).toMatch(
    /^leaked: not in use by its network namespace and the runtime's results and the API server, in 3/,
  )
  // It cools down, as after any release.
  expect(node.book.counts()).toEqual([{ network: 'mynet', state: 'cooldown', count: 1 }])
})

test('what was given to the same container since is not touched', async () => {
  const attachment = await leaked()
  await node.del('a')
  await node.add('a')
  expect((await takeBack(attachment, node.takeBackParts)).outcome).toBe('changed')
  expect(node.commands).toEqual([])
  expect(await node.held()).toHaveLength(1)
})

test('the lease stays where a rule could not be removed: the next round finds it', async () => {
  const attachment = await leaked()
  const failing = {
    run: async () => ({ code: 4, stdout: '', stderr: 'Another app is currently holding the xtables lock' }),
  }
  const taken = await takeBack(attachment, { ...node.takeBackParts, kernel: failing })
  expect(taken).toMatchObject({ outcome: 'failed', error: expect.any(Error) })
  expect(await node.held()).toHaveLength(1)
  expect(await node.freeingRound()).toMatchObject([{ outcome: 'freed' }])
})

test('what a DHCP server granted is forgotten with its attachment', async () => {
  const dhcp = SqliteDhcpBook.open(node.path)
  const [lease] = await heldLeases(node.leaks)
  const { address, network, netns, namespaceId } = lease!
  const owner = {
    network,
    container: 'd',
    ifname: 'eth0',
    netns: `${netns}-d`,
    namespaceId: namespaceId!,
    pod: 'default/d',
  }
  const until = node.clock.now() + 3_600_000
  await dhcp.put({
    ...{ owner, boot: node.boot, wanted: [], provided: [], state: 'bound', dueAt: until },
    lease: {
      ...{ address, prefixLength: 24, server: address, serverHardware: '020000000001', routes: [] },
      ...{ grantedAt: node.clock.now(), renewAt: until, rebindAt: until, expiresAt: until },
    },
  })
  await node.minutes(2)
  node.dhcp = dhcp
  for (let i = 0; i < 2; i++) {
    await node.round()
    await node.minutes(1)
  }
  expect(await node.freeingRound()).toMatchObject([{ outcome: 'freed', addresses: [address] }])
  expect(await dhcp.all()).toEqual([])
  expect(await node.held()).toEqual([JSON.stringify(['mynet', 'a', 'eth0'])])
  dhcp.close()
})
