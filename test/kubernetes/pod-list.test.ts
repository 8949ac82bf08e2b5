import { describe, expect, test } from 'vitest'
import { podsOnNode } from '#kubernetes/pod-list.ts'
import type { ApiTransport } from '#kubernetes/transport.ts'
import { PaperClock } from '#lab/paper/clock.ts'

const pod = (name: string, status: object = { phase: 'Running', podIPs: [{ ip: '10.9.0.2' }, { ip: 'fd09::2' }] }) => ({
  metadata: { name, namespace: 'default', uid: `uid-${name}` },
  status,
})
const page = (items: unknown, next?: string) => JSON.stringify({ kind: 'PodList', items, metadata: { continue: next } })

function asked(...answers: readonly (string | { readonly status: number; readonly body: string } | 'nothing')[]) {
  const [clock, paths, left] = [new PaperClock(), [] as string[], [...answers]]
  const transport = {
    get: ({ path, signal }: Parameters<ApiTransport['get']>[0]) => {
      paths.push(path)
      const answer = left.shift()!
      if (answer === 'nothing') {
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      }
      const { status, body } = typeof answer === 'string' ? { status: 200, body: answer } : answer
      return Promise.resolve({ status, headers: {}, body: { text: async () => body } })
    },
  } as unknown as ApiTransport
  return { clock, paths, pods: podsOnNode({ transport, nodeName: 'node-1', clock }) }
}

test('the pods of one node, page by page', async () => {
  const { paths, pods } = asked(
    page([pod('a'), pod('b', { phase: 'Succeeded', podIP: '10.9.0.3' })], 'more'),
    page([pod('c', { phase: 'Pending' }), pod('d', { podIP: 'nonsense' })]),
  )
  expect(await pods).toEqual([
    { uid: 'uid-a', pod: 'default/a', addresses: ['10.9.0.2', 'fd09::2'], isFinished: false },
    { uid: 'uid-b', pod: 'default/b', addresses: ['10.9.0.3'], isFinished: true },
    { uid: 'uid-c', pod: 'default/c', addresses: [], isFinished: false },
    { uid: 'uid-d', pod: 'default/d', addresses: [], isFinished: false },
  ])
  expect(paths).toEqual([
    '/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1&limit=500',
    '/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1&limit=500&continue=more',
  ])
})

test('no pod at all is a list, too', async () => {
  expect(await asked(page(null)).pods).toEqual([])
})

describe('a list that is not whole is none', () => {
  test.each([
    [
      'refused',
      { status: 403, body: '{"kind":"Status","message":"pods is forbidden"}' },
      '403 to a list of pods: pods is forbidden',
    ],
    ['no JSON', 'oops', 'is not JSON'],
    ['no list', '{}', 'without items'],
    ['a pod without a name', page([{ metadata: {} }]), 'without name'],
  ])('%s', async (_, answer, why) => {
    await expect(asked(answer).pods).rejects.toThrow(why)
    await expect(asked(page([pod('a')], 'more'), answer).pods).rejects.toThrow(why)
  })

  test('no answer in time', async () => {
    const { clock, pods } = asked('nothing')
    const refused = expect(pods).rejects.toThrow('no list of pods for 10 s')
    await clock.advance(10_000)
    await refused
  })
})
