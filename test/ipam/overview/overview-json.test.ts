import { expect, test } from 'vitest'
import { rangeOverview } from '#ipam/overview/overview.ts'
import { overviewJson } from '#ipam/overview/overview-json.ts'
import { DAY, facts, NOW, service } from './facts.ts'

test('JSON has every number', () => {
  const created = NOW - 60 * DAY
  const services = [service('a/old', [], { created }), service('a/x', ['fd00::7'], { created: NOW - DAY })]
  const json = JSON.parse(overviewJson(rangeOverview(facts({ serviceCIDRs: ['fd00::/64'], services }), NOW)))
  expect(json.ranges.find((row: { kind: string }) => row.kind === 'services')).toMatchObject({
    ...{ range: 'fd00::/64', unit: 'cluster IPs', size: '18446744073709551615', used: 1 },
    full: { when: 'later', perDay: 1 / 30 },
  })
  expect(json.warnings).toEqual([])
})
