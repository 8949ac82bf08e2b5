import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PaperNode } from './paper-node.ts'

let node: PaperNode
beforeEach(() => {
  node = new PaperNode()
})
afterEach(() => node.close())

describe('a pod whose runtime never sends a DEL', () => {
  test('is leaked in the third round, also where each is of another daemon', async () => {
    await node.add('a')
    await node.add('b')
    await node.minutes(2)
    node.vanish('a')
    const seen: unknown[] = []
    for (let i = 0; i < 3; i++) {
      seen.push(await node.verdicts())
      node.restartDaemon()
      await node.minutes(1)
    }
    expect(seen).toEqual([
      { a: 'suspect', b: 'live' },
      { a: 'suspect', b: 'live' },
      { a: 'leaked', b: 'live' },
    ])
  })

  test('is not leaked while any witness names it, and not while one fails', async () => {
    await node.add('a')
    await node.minutes(2)
    node.vanish('a')
    node.pods.add('default/a')
    expect(await node.verdicts()).toEqual({ a: 'live' })
    node.vanish('a')
    node.failing.add('api')
    for (let i = 0; i < 5; i++) {
      expect(await node.verdicts()).toEqual({ a: 'unknown' })
      await node.minutes(1)
    }
    node.failing.clear()
    expect(await node.verdicts()).toEqual({ a: 'suspect' })
  })

  test('whose namespace lives on without its path is in use', async () => {
    await node.add('a')
    await node.minutes(2)
    node.vanish('a')
    node.ports.add('a')
    expect(await node.verdicts()).toEqual({ a: 'live' })
    node.ports.clear()
    expect(await node.verdicts()).toEqual({ a: 'suspect' })
  })

  test('that comes back in between begins a new row', async () => {
    await node.add('a')
    await node.minutes(2)
    node.results.clear()
    node.pods.clear()
    const namespace = node.namespaces.get('/run/netns/a')!
    node.namespaces.clear()
    await node.round()
    await node.minutes(1)
    await node.round()
    node.namespaces.set('/run/netns/a', namespace)
    await node.minutes(1)
    expect(await node.verdicts()).toEqual({ a: 'live' })
    expect(await node.leaks.suspicions()).toEqual([])
    node.namespaces.clear()
    await node.minutes(1)
    expect(await node.verdicts()).toEqual({ a: 'suspect' })
  })

  test('of an earlier start of the machine is leaked at once', async () => {
    await node.add('a')
    await node.minutes(2)
    node.restartMachine()
    node.pods.clear()
    expect(await node.verdicts()).toEqual({ a: 'leaked' })
  })

  test('whose container has an address anew begins a new row', async () => {
    await node.add('a')
    await node.minutes(2)
    node.vanish('a')
    await node.round()
    await node.minutes(1)
    await node.round()
    await node.book.release({ network: 'mynet', container: 'a', ifname: 'eth0' }, 'DEL')
    await node.add('a')
    node.vanish('a')
    await node.minutes(1)
    expect(await node.verdicts()).toEqual({ a: 'suspect' })
  })
})

test('on a node where all is well, neither the runtime nor the API server is asked, and nothing is written', async () => {
  await node.add('a')
  await node.minutes(2)
  node.failing.add('api')
  node.failing.add('runtime')
  const round = await node.round()
  expect([round.failed, round.attachments[0]!.verdict.is]).toEqual([[], 'live'])
})
