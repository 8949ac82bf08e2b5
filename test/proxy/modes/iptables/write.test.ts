import { expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import type { Ruleset } from '#proxy/modes/mode.ts'
import { diff, EMPTY } from '#proxy/plan/diff.ts'
import { carryOut } from '#proxy/sync/carry-out.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { DEFAULT_FLAGS, nodeFacts } from '../../../support/flags.ts'
import { endpoint, service, slice } from '../../../support/objects.ts'
import { TOOLS } from '../userspace/tools.ts'

// A change of the cluster → the document that carries it out. How a document is ordered is a matter of all modes with chains:
// see netfilter/document.test.ts.

const mode = iptables(TOOLS.ipv4)

/** Of one Service with these endpoints, and of one that stays as it is. */
function rules(pods: readonly string[] | undefined): Ruleset {
  const cluster = new Cluster()
  const mine = pods && [
    service('shop/cart', ['10.96.0.10']),
    slice(
      'shop/a',
      'shop/cart',
      pods.map(pod => endpoint(pod)),
    ),
  ]
  const other = [service('shop/web', ['10.96.0.11']), slice('shop/b', 'shop/web', [endpoint('10.244.9.9')])]
  for (const object of [...(mine ?? []), ...other]) cluster.apply({ type: 'put', object })
  const draft = new Draft(cluster, mode, nodeFacts({ flags: DEFAULT_FLAGS, family: 'ipv4', addresses: [] }))
  draft.update()
  return draft.book.rules
}

const document = (from: Ruleset, to: Ruleset): readonly string[] =>
  mode.write(diff(from, to)).flatMap(({ input = '' }) => input.split('\n'))
/** `KUBE-SEP`, for each chain that the document declares. */
const declared = (lines: readonly string[]): readonly string[] =>
  lines.flatMap(line => /^:(KUBE-(?:[A-Z]+-)*?[A-Z]+)(?:-[A-Z2-7]{16})? /.exec(line)?.[1] ?? [])
const chainsOf = (from: Ruleset, to: Ruleset) => declared(document(from, to)).toSorted()

test('nothing that changes is nothing to run', () => {
  expect(mode.write(diff(rules(['10.244.1.2']), rules(['10.244.1.2'])))).toEqual([])
})

test('a start from nothing is one process', () => {
  expect(mode.write(diff(EMPTY, rules(['10.244.1.2']))).map(({ does, argv }) => [does, argv[0]])).toEqual([
    ['restore', 'iptables-restore'],
  ])
})

test('an endpoint that comes is its own chain and the choice among endpoints; no other Service is written', () => {
  const [one, two] = [rules(['10.244.1.2']), rules(['10.244.1.2', '10.244.1.3'])]
  expect(chainsOf(one, two)).toEqual(['KUBE-SEP', 'KUBE-SVC'])
  const lines = document(one, two)
  expect(lines.filter(line => line.startsWith('-A KUBE-SEP'))).toHaveLength(2)
  expect(lines.filter(line => line.includes('shop/web') || line.includes('10.244.9.9'))).toEqual([])
})

test('an endpoint that goes is chosen no more before its chain is deleted', () => {
  const lines = document(rules(['10.244.1.2', '10.244.1.3']), rules(['10.244.1.2']))
  const [chosen, deleted] = [/^-A KUBE-SVC-\S+ .*-j KUBE-SEP-/, /^-X KUBE-SEP-/].map(what =>
    lines.findIndex(line => what.test(line)),
  )
  expect(chosen).toBeGreaterThan(-1)
  expect(deleted).toBeGreaterThan(chosen!)
})

test('a Service that goes takes its chains along, and its line in the chain that all share', () => {
  const lines = document(rules(['10.244.1.2']), rules(undefined))
  expect(
    lines
      .filter(line => line.startsWith('-X'))
      .map(line => line.slice(0, 11))
      .toSorted(),
  ).toEqual(['-X KUBE-SEP', '-X KUBE-SVC'])
  const shared = lines.filter(line => line.startsWith('-A KUBE-SERVICES'))
  expect(shared.some(line => line.includes('shop/web'))).toBe(true)
  expect(shared.some(line => line.includes('shop/cart'))).toBe(false)
})

test('what is read are the rules that were written, and none of the rules of other programs beside them', async () => {
  const [kernel, wanted] = [new PaperKernel(), rules(['10.244.1.2', '10.244.1.3'])]
  const run = (...words: readonly string[]) => kernel.run(anyCommand(['iptables', '-t', 'nat', ...words]))
  await run('-N', 'OTHERS')
  await run('-A', 'OTHERS', '-j', 'RETURN')
  await run('-A', 'PREROUTING', '-j', 'OTHERS')
  await carryOut(diff(EMPTY, wanted), mode, kernel)
  await run('-A', 'POSTROUTING', '-j', 'OTHERS')
  expect([...(await mode.read(kernel))].sort()).toEqual([...wanted].sort())
})
