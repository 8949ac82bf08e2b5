import { expect, test } from 'vitest'
import { EXPLAIN } from '#page/pages/explain.ts'
import type { ExplainAnswer, ExplainedTarget, ExplainedWay, ExplainQuestion } from '#page/views/explain.ts'
import { HOSTILE } from '../clusters.ts'
import { hostile, isInert, read, shown } from './shown.ts'

const WAY: ExplainedWay = {
  ...{ share: 1, end: 'arrives at 10.244.1.2:8080', arrives: true },
  steps: [{ at: 'nat KUBE-SERVICES', did: 'jump X', rule: '-A KUBE-SERVICES -j X' }],
}
const TARGET: ExplainedTarget = { from: 'pod shop/web', to: '10.96.0.10:80/tcp', ways: [WAY], findings: [] }

function source(answer: ExplainAnswer) {
  const asked: ExplainQuestion[] = []
  const ask = async (question: ExplainQuestion): Promise<ExplainAnswer> => {
    asked.push(question)
    return answer
  }
  return { asked, explain: { from: () => '10.244.1.1', ask } }
}

const answered = (...targets: readonly ExplainedTarget[]) => source({ ok: true, targets })

test('without a question nothing is asked, and the form has a sender', async () => {
  const { asked, explain } = answered(TARGET)
  const page = await shown(EXPLAIN, { explain })
  expect(asked).toEqual([])
  expect(page).toContain('name="from" value="10.244.1.1"')
  expect(page).not.toContain('aria-invalid')
})

test.each([
  ['?to=shop/cart', { from: '10.244.1.1', to: 'shop/cart' }],
  ['?from=+&to=+shop/cart+', { from: '10.244.1.1', to: 'shop/cart' }],
  ['?from=pod/a&to=b/c', { from: 'pod/a', to: 'b/c' }],
])('%s asks %j', async (address, question) => {
  const { asked, explain } = answered(TARGET)
  await shown(EXPLAIN, { explain }, address)
  expect(asked).toEqual([question])
})

test('a mistake is named at the fields, which keep what was typed', async () => {
  const { explain } = source({ ok: false, problem: 'TO:PORT: there is no Service "a/b"' })
  const page = await shown(EXPLAIN, { explain }, '?from=x&to=a/b')
  expect(page).toContain('role="alert">TO:PORT: there is no Service &quot;a/b&quot;</p>')
  expect(page.match(/aria-invalid="true" aria-describedby="problem"/g)).toHaveLength(2)
  expect(page).toContain('name="to" value="a/b"')
})

test('one way alone is open and has no share; of several the first is open', async () => {
  expect(await shown(EXPLAIN, answered(TARGET), '?to=x')).toContain('<details class="way" open>')
  const two = {
    ...TARGET,
    ways: [
      { ...WAY, share: 1 / 3 },
      { ...WAY, share: 2 / 3, end: 'is dropped', arrives: false },
    ],
  }
  const page = await shown(EXPLAIN, answered(two), '?to=x')
  expect(page.match(/<details class="way"( open)?>/g)).toEqual(['<details class="way" open>', '<details class="way">'])
  const text = await read(EXPLAIN, answered(two), '?to=x')
  expect(text).toContain('33.3 % arrives It arrives at 10.244.1.2:8080.')
  expect(text).toContain('66.7 % ends It is dropped.')
})

test('reasons, findings and hops are read with it', async () => {
  const whole = { ...TARGET, reason: 'none is ready', findings: ['a', 'b'], ways: [{ ...WAY, source: 'kept' }] }
  const text = await read(EXPLAIN, answered(whole), '?to=x')
  expect(text).toMatch(
    /pod shop\/web → 10\.96\.0\.10:80\/tcp Why: none is ready\. a\. b\. arrives It .* Source: kept\. nat KUBE-SERVICES jump X -A KUBE-SERVICES -j X$/,
  )
})

test('of very many ways fifty are shown, and how many there are', async () => {
  const many = (ways: number) => answered({ ...TARGET, ways: Array.from({ length: ways }, () => WAY) })
  expect(await read(EXPLAIN, many(51), '?to=x')).toMatch(/And 1 more way like these\.$/)
  expect((await shown(EXPLAIN, many(1000), '?to=x')).match(/<details/g)).toHaveLength(50)
  expect(await read(EXPLAIN, many(50), '?to=x')).not.toContain('more way')
})

test('no text of a question or an answer becomes HTML', async () => {
  const words = new URLSearchParams({ from: HOSTILE, to: HOSTILE })
  const whole = { ...TARGET, reason: 'x', findings: ['x'], ways: [{ ...WAY, source: 'x' }] }
  expect(isInert(await shown(EXPLAIN, answered(hostile(whole)), `?${words}`))).toBe(true)
  expect(isInert(await shown(EXPLAIN, source({ ok: false, problem: HOSTILE }), `?${words}`))).toBe(true)
})
