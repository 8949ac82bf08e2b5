import { expect, test } from 'vitest'
import { counted, NO_COUNTS, type Thresholds } from '#lab/kubelet/probes/probe-counts.ts'

/** After each outcome, `+` or `-`: what the probe says. */
function verdicts(outcomes: string, thresholds: Thresholds = {}): string {
  let counts = NO_COUNTS
  const said = [...outcomes].map(outcome => {
    counts = counted(counts, outcome === '+' ? 'success' : 'failure', thresholds)
    return { success: '+', failure: '-', unknown: '?' }[counts.verdict]
  })
  return said.join('')
}

test('a probe fails after three failures in a row, and succeeds at the first success', () => {
  expect(verdicts('--+--+---+')).toBe('??++++++-+')
})

test('a probe counts to the thresholds that it has', () => {
  expect(verdicts('+--++-+++', { successThreshold: 3, failureThreshold: 2 })).toBe('??-----' + '-+')
})
