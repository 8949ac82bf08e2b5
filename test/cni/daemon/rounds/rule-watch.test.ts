import { expect, test } from 'vitest'
import { watchRules } from '#cni/daemon/rounds/rule-watch.ts'
import type { Repaired } from '#cni/repair/repair.ts'
import type { RuleKind } from '#ipam/leases/rules/rule-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { captureLog } from '../../../support/captured-log.ts'

function repaired(container: string, kind: RuleKind, error?: Error): Repaired {
  const holder = { network: 'mynet', container, ifname: 'eth0' }
  const rules = { holder, kind, netns: '', namespaceId: '', boot: '', wanted: '' }
  return error === undefined ? { rules, outcome: 'written' } : { rules, outcome: 'failed', error }
}

function watching(answers: (readonly Repaired[] | Error)[], generation: () => number | undefined) {
  const [clock, stop, { log, lines }] = [new PaperClock(), new AbortController(), captureLog(2)]
  const [looks, outcomes]: [number[], string[]] = [[], []]
  const watch = watchRules({
    ...{ clock, log, generation, signal: stop.signal },
    observed: ({ rules, outcome }) => outcomes.push(`${rules.kind} ${outcome}`),
    repair: async () => {
      looks.push(clock.now())
      const next = answers.shift() ?? []
      if (next instanceof Error) throw next
      return next
    },
  })
  const end = async () => {
    stop.abort()
    await watch
  }
  return { clock, lines, looks, outcomes, end }
}

test('a ruleset that stays as it is is looked at once, one that changes within a second, three times in a row', async () => {
  let generation = 7
  const { clock, looks, end } = watching([], () => generation)
  await clock.advance(60_000)
  expect(looks).toEqual([0])
  for (generation = 8; generation < 11; generation++) await clock.advance(1000)
  expect(looks).toEqual([0, 61_000, 62_000, 63_000])
  await end()
})

test('one that changes all the time is looked at each ten seconds, and once more after its last change', async () => {
  let generation = 0
  const { clock, looks, end } = watching([], () => generation)
  for (; generation < 300; generation++) await clock.advance(1000)
  const last = looks.slice(5)
  expect(last.slice(1).map((at, i) => at - last[i]!)).toEqual(Array(last.length - 1).fill(10_000))
  expect(looks.length).toBeLessThan(35)
  await clock.advance(30_000)
  expect(looks.at(-1)).toBeGreaterThanOrEqual(299_000)
  await end()
})

test('one whose changes cannot be known is looked at each ten seconds', async () => {
  const { clock, looks, end } = watching([], () => undefined)
  await clock.advance(25_000)
  expect(looks).toEqual([0, 10_000, 20_000])
  await end()
})

test('what stands again is one line, what does not another; then the next look comes without a change', async () => {
  const failed = repaired('c', 'masquerade', new Error('iptables is gone'))
  const answers = [[repaired('a', 'masquerade'), repaired('a', 'hostports'), repaired('b', 'masquerade'), failed], []]
  const { clock, lines, looks, outcomes, end } = watching(answers, () => 1)
  await clock.advance(40_000)
  expect(lines).toEqual([
    '"Rules of pods were removed by another program, and stand again" masquerade=2 hostPorts=1',
    '"Rules of a pod are gone, and could not be written anew" err="iptables is gone" kind="masquerade" network="mynet" container="c" ifname="eth0" next="tried again every 10s"',
  ])
  expect(outcomes).toEqual(['masquerade written', 'hostports written', 'masquerade written', 'masquerade failed'])
  expect(looks).toEqual([0, 10_000])
  await end()
})

test('a look that fails is reported once, and made again', async () => {
  const { clock, lines, looks, end } = watching([new Error('busy'), new Error('busy')], () => 1)
  await clock.advance(40_000)
  expect(lines).toEqual(['"Rules of pods could not be looked at" err="busy" next="tried again every 10s"'])
  expect(looks).toEqual([0, 10_000, 20_000])
  await end()
})
