import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Metrics } from '#telemetry/metrics.ts'
import { FAILURE, report } from '../reports.ts'
import { RESTORE, SAVE, Scraped, STANDING } from './scraped.ts'

// The numbers that kube-proxy keeps, under its names.

// What kube-proxy 1.36 answered on a node with a few Services.
const KUBE_PROXY = readFileSync(new URL('../../../fixtures/metrics/kube-proxy-1.36.txt', import.meta.url), 'utf8')

/** kube-proxy counts packets in nfacct objects; we make none. */
const NOT_OURS = /^kubeproxy_iptables_/

let scraped: Scraped
let metrics: Metrics
beforeEach(() => {
  scraped = new Scraped()
  metrics = scraped.metrics
})
const value = (series: string): string | undefined => scraped.value(series)

/** Everything that happens to kube-proxy in the dump. */
function busyLife(): void {
  for (const family of ['ipv4', 'ipv6'] as const) {
    metrics.queued(family)
    metrics.ran({ ...SAVE, family })
    metrics.ran({ ...RESTORE, family })
    metrics.reported(report({ family, looked: true, flows: { isAsked: family === 'ipv4', forgotten: 0 } }))
  }
  metrics.changed({ kind: 'Service', name: 'shop/cart', families: ['ipv4', 'ipv6'] })
  metrics.changed({ kind: 'EndpointSlice', name: 'shop/a', families: ['ipv4'] })
  metrics.probed('healthz', 200)
  metrics.probed('livez', 200)
}

describe('compared with a dump of kube-proxy 1.36', () => {
  test('every metric has its name, help text and type', () => {
    busyLife()
    const heads = (text: string) =>
      text.split('\n').filter(line => /^# (HELP|TYPE) kubeproxy_/.test(line) && !NOT_OURS.test(line.split(' ')[2]!))
    expect(heads(metrics.text(STANDING))).toEqual(heads(KUBE_PROXY))
  })

  test('every series has its labels and buckets', () => {
    busyLife()
    const series = (text: string) =>
      text
        .split('\n')
        .filter(line => line.startsWith('kubeproxy_') && !NOT_OURS.test(line))
        .map(line => line.slice(0, line.lastIndexOf(' ')))
    expect(series(metrics.text(STANDING))).toEqual(series(KUBE_PROXY))
  })

  test('nothing happened, and only what has no labels shows', () => {
    const kubeProxys = metrics
      .text({ ...STANDING, lanes: [] })
      .split('\n')
      .filter(line => /^kubeproxy_/.test(line))
    expect(kubeProxys).toEqual([
      'kubeproxy_sync_proxy_rules_endpoint_changes_pending 0',
      'kubeproxy_sync_proxy_rules_endpoint_changes_total 0',
      'kubeproxy_sync_proxy_rules_service_changes_pending 0',
      'kubeproxy_sync_proxy_rules_service_changes_total 0',
    ])
  })
})

describe('a sync', () => {
  test('that looked first counts as full, another one as partial', () => {
    metrics.reported(report({ looked: true, tookMs: 3000 }))
    metrics.reported(report({ tookMs: 40 }))
    expect(value('kubeproxy_sync_proxy_rules_duration_seconds_count{ip_family="IPv4"}')).toBe('2')
    expect(value('kubeproxy_sync_full_proxy_rules_duration_seconds_sum{ip_family="IPv4"}')).toBe('3')
    expect(value('kubeproxy_sync_partial_proxy_rules_duration_seconds_sum{ip_family="IPv4"}')).toBe('0.04')
  })

  test('in ipvs mode is neither', () => {
    metrics.reported(report({ mode: 'ipvs', numbers: {} }))
    expect(value('kubeproxy_sync_proxy_rules_duration_seconds_count{ip_family="IPv4"}')).toBe('1')
    expect(metrics.text(STANDING)).not.toMatch(/kubeproxy_sync_(full|partial)/)
  })

  test('stamps the time of its end, and the time at which it was asked for', () => {
    metrics.queued('ipv6')
    metrics.reported(report({ family: 'ipv6', startedAt: 1_000_500, tookMs: 250 }))
    expect(value('kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds{ip_family="IPv6"}')).toBe('1000')
    expect(value('kubeproxy_sync_proxy_rules_last_timestamp_seconds{ip_family="IPv6"}')).toBe('1000.75')
  })

  test('that failed leaves no time stamp and says whether the tool refused it', () => {
    metrics.ran({ ...RESTORE, code: 4 })
    metrics.reported(report({ failure: FAILURE, looked: true }))
    expect(value('kubeproxy_sync_proxy_rules_last_timestamp_seconds{ip_family="IPv4"}')).toBeUndefined()
    expect(value('kubeproxy_sync_proxy_rules_iptables_restore_failures_total{ip_family="IPv4"}')).toBe('1')
    expect(value('kubeproxy_sync_proxy_rules_iptables_partial_restore_failures_total{ip_family="IPv4"}')).toBe('1')
    metrics.ran(SAVE)
    metrics.ran({ ...RESTORE, code: 4 })
    metrics.reported(report({ failure: FAILURE, looked: true }))
    expect(value('kubeproxy_sync_proxy_rules_iptables_restore_failures_total{ip_family="IPv4"}')).toBe('2')
    expect(value('kubeproxy_sync_proxy_rules_iptables_partial_restore_failures_total{ip_family="IPv4"}')).toBe('1')
    expect(value('switchyard_syncs_total{ip_family="IPv4",mode="iptables",result="failure"}')).toBe('2')
  })

  test('of nftables that failed counts there, and not as a failure of iptables-restore', () => {
    metrics.reported(report({ mode: 'nftables', numbers: { stages: true, failures: 'nft' }, failure: FAILURE }))
    expect(value('kubeproxy_sync_proxy_rules_nftables_sync_failures_total{ip_family="IPv4"}')).toBe('1')
    expect(metrics.text(STANDING)).not.toContain('restore_failures')
  })

  test('says how many rules it wrote: those of its own family, and none if there was nothing to write', () => {
    metrics.ran(RESTORE)
    metrics.ran({ ...RESTORE, program: 'ip6tables-restore', family: 'ipv6', rules: { nat: 9 } })
    metrics.reported(report())
    metrics.reported(report({ family: 'ipv6' }))
    expect(value('kubeproxy_sync_proxy_rules_iptables_last{ip_family="IPv4",table="nat"}')).toBe('85')
    expect(value('kubeproxy_sync_proxy_rules_iptables_last{ip_family="IPv6",table="nat"}')).toBe('9')
    expect(value('kubeproxy_sync_proxy_rules_iptables_last{ip_family="IPv6",table="filter"}')).toBe('0')
    metrics.reported(report())
    expect(value('kubeproxy_sync_proxy_rules_iptables_last{ip_family="IPv4",table="nat"}')).toBe('0')
    expect(value('kubeproxy_sync_proxy_rules_iptables_total{ip_family="IPv4",table="nat"}')).toBe('85')
  })

  test('counts connections only where connections were looked at', () => {
    metrics.reported(report())
    expect(metrics.text(STANDING)).not.toContain('kubeproxy_conntrack')
    metrics.reported(report({ flows: { isAsked: true, forgotten: 3 } }))
    expect(value('kubeproxy_conntrack_reconciler_deleted_entries_total{ip_family="IPv4"}')).toBe('3')
    expect(value('kubeproxy_conntrack_reconciler_sync_duration_seconds_sum{ip_family="IPv4"}')).toBe('0.005')
    expect(value('switchyard_flows_forgotten_total{ip_family="IPv4"}')).toBe('3')
  })
})

describe('a change', () => {
  test('of a Service counts once for each family, and waits until it is carried out', async () => {
    metrics.changed({ kind: 'Service', name: 'shop/cart', families: ['ipv4', 'ipv6'] })
    expect(value('kubeproxy_sync_proxy_rules_service_changes_total')).toBe('2')
    expect(value('kubeproxy_sync_proxy_rules_service_changes_pending')).toBe('1')
    metrics.reported(report({ startedAt: scraped.clock.now(), failure: FAILURE }))
    expect(value('kubeproxy_sync_proxy_rules_service_changes_pending')).toBe('1')
    metrics.reported(report({ startedAt: scraped.clock.now() }))
    metrics.reported(report({ startedAt: scraped.clock.now(), family: 'ipv6' }))
    expect(value('kubeproxy_sync_proxy_rules_service_changes_pending')).toBe('0')
  })

  test('of a slice is timed from when it was made, except from before we were there', async () => {
    const change = { kind: 'EndpointSlice', families: ['ipv4'] } as const
    metrics.changed({ ...change, name: 'shop/old', triggered: 999_999 })
    await scraped.clock.advance(5000)
    metrics.changed({ ...change, name: 'shop/new', triggered: 1_002_000 })
    metrics.reported(report({ startedAt: scraped.clock.now(), tookMs: 500 }))
    expect(value('kubeproxy_network_programming_duration_seconds_count{ip_family="IPv4"}')).toBe('1')
    expect(value('kubeproxy_network_programming_duration_seconds_sum{ip_family="IPv4"}')).toBe('3.5')
    const bounds = metrics
      .text(STANDING)
      .match(/(?<=programming_duration_seconds_bucket\{ip_family="IPv4",le=")[^"]+/g)!
    expect(bounds).toHaveLength(3 + 59 + 12 + 7 + 1)
    expect([bounds[0], bounds[2], bounds[3], bounds[61], bounds[62], bounds[73], bounds[74], bounds[80]]).toEqual([
      '0',
      '0.5',
      '1',
      '59',
      '60',
      '115',
      '120',
      '300',
    ])
  })
})
