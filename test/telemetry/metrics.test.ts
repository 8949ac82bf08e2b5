import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { type CurrentNumbers, Metrics } from '#telemetry/metrics.ts'
import type { RanCommand } from '#telemetry/numbers/tally.ts'
import { FAILURE, report } from './reports.ts'

// What kube-proxy 1.36 answered on a node with a few Services.
const KUBE_PROXY = readFileSync(new URL('../../fixtures/metrics/kube-proxy-1.36.txt', import.meta.url), 'utf8')

/** kube-proxy counts packets in nfacct objects; we make none. */
const NOT_OURS = /^kubeproxy_iptables_/

const WATCH = {
  lastActivityAt: 2000,
  objects: 7,
  lists: 1,
  watches: 3,
  gone: 1,
  silences: 2,
  malformed: 0,
  failures: 4,
}

const STANDING: CurrentNumbers = {
  watches: { Service: WATCH },
  lanes: (['ipv4', 'ipv6'] as const).map(family => ({
    family,
    noLocalEndpoints: { internal: 1, external: 0 },
    rules: { filter: 12, nat: 85 },
    lostClaims: 2,
    refused: 1,
    units: 40,
  })),
  healthChecks: { wanted: 3, open: 2 },
  vitals: { cpuSeconds: 1.5, residentBytes: 65_000_000, openFiles: 20, maxFiles: 1024, virtualBytes: 1e9 },
}

const SAVE: RanCommand = { program: 'iptables-save', family: 'ipv4', does: 'look', tookMs: 5, code: 0, rules: {} }
const RESTORE: RanCommand = { ...SAVE, program: 'iptables-restore', does: 'restore', rules: { filter: 12, nat: 85 } }

let clock: PaperClock
let metrics: Metrics

beforeEach(() => {
  clock = new PaperClock(1_000_000)
  const build = { version: 'v1', node: 'v26', mode: 'iptables' }
  metrics = new Metrics({ now: () => clock.now(), startedAt: 900_000, build })
})

/** The value of one series, as text. */
function value(series: string): string | undefined {
  const line = metrics
    .text(STANDING)
    .split('\n')
    .find(it => it.startsWith(`${series} `))
  return line?.slice(series.length + 1)
}

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

  test('adds up what it changed, where its time went, and what it restored', () => {
    const repair = { looked: true, drift: { count: 4, units: [] }, units: { added: 3, changed: 1, removed: 0 } }
    metrics.reported(report({ units: { added: 5, changed: 0, removed: 2 }, commands: 1, bytes: 900 }))
    metrics.reported(report({ ...repair, commands: 1, bytes: 100 }))
    expect(value('switchyard_sync_units_total{change="added",ip_family="IPv4"}')).toBe('8')
    expect(value('switchyard_sync_units_last{change="removed",ip_family="IPv4"}')).toBe('0')
    expect(value('switchyard_sync_bytes_total{ip_family="IPv4"}')).toBe('1000')
    expect(value('switchyard_sync_commands_total{ip_family="IPv4"}')).toBe('2')
    expect(value('switchyard_sync_looks_total{ip_family="IPv4"}')).toBe('1')
    expect(value('switchyard_drift_units_total{ip_family="IPv4"}')).toBe('4')
    expect(value('switchyard_drift_repairs_total{ip_family="IPv4"}')).toBe('1')
    expect(value('switchyard_sync_stage_duration_seconds_sum{ip_family="IPv4",stage="write"}')).toBe('0.14')
  })
})

describe('a change', () => {
  test('of a Service counts once for each family, and waits until it is carried out', async () => {
    metrics.changed({ kind: 'Service', name: 'shop/cart', families: ['ipv4', 'ipv6'] })
    expect(value('kubeproxy_sync_proxy_rules_service_changes_total')).toBe('2')
    expect(value('kubeproxy_sync_proxy_rules_service_changes_pending')).toBe('1')
    metrics.reported(report({ startedAt: clock.now(), failure: FAILURE }))
    expect(value('kubeproxy_sync_proxy_rules_service_changes_pending')).toBe('1')
    metrics.reported(report({ startedAt: clock.now() }))
    metrics.reported(report({ startedAt: clock.now(), family: 'ipv6' }))
    expect(value('kubeproxy_sync_proxy_rules_service_changes_pending')).toBe('0')
  })

  test('of a slice is timed from when it was made, except from before we were there', async () => {
    const change = { kind: 'EndpointSlice', families: ['ipv4'] } as const
    metrics.changed({ ...change, name: 'shop/old', triggered: 999_999 })
    await clock.advance(5000)
    metrics.changed({ ...change, name: 'shop/new', triggered: 1_002_000 })
    metrics.reported(report({ startedAt: clock.now(), tookMs: 500 }))
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

describe('a request to the API server', () => {
  const asked = { host: '10.96.0.1:443', method: 'GET' }
  const histogram = (name: string): readonly string[] =>
    [...metrics.text(STANDING).matchAll(new RegExp(`^rest_client_${name}_bucket\\{(.*),le="(.*)"\\} `, 'gm'))].map(
      ([, labels, bound]) => `${labels} ${bound}`,
    )

  test('counts under the name that every Go client has for it', () => {
    metrics.requested({ ...asked, code: '200' })
    metrics.requested({ ...asked, code: '<error>' })
    metrics.requested({ ...asked, code: '200' })
    expect(value('rest_client_requests_total{code="200",host="10.96.0.1:443",method="GET"}')).toBe('2')
    expect(value('rest_client_requests_total{code="<error>",host="10.96.0.1:443",method="GET"}')).toBe('1')
    expect(metrics.text(STANDING)).toContain(
      '# HELP rest_client_requests_total [ALPHA] Number of HTTP requests, partitioned by status code, method, and host.\n',
    )
  })

  test('has its time and sizes in the buckets of client-go', () => {
    metrics.finished({ ...asked, tookMs: 30, sentBytes: 0, receivedBytes: 5000 })
    const labels = 'host="10.96.0.1:443",verb="GET"'
    expect(value(`rest_client_request_duration_seconds_sum{${labels}}`)).toBe('0.03')
    expect(value(`rest_client_request_size_bytes_count{${labels}}`)).toBe('1')
    expect(value(`rest_client_response_size_bytes_bucket{${labels},le="4096"}`)).toBe('0')
    expect(value(`rest_client_response_size_bytes_bucket{${labels},le="16384"}`)).toBe('1')
    const seconds = ['0.005', '0.025', '0.1', '0.25', '0.5', '1', '2', '4', '8', '15', '30', '60', '+Inf']
    expect(histogram('request_duration_seconds')).toEqual(seconds.map(bound => `${labels} ${bound}`))
    const small = ['64', '256', '512', '1024', '4096', '16384', '65536', '262144']
    const sizes = [...small, '1.048576e+06', '4.194304e+06', '1.6777216e+07', '+Inf'].map(it => `${labels} ${it}`)
    expect(histogram('request_size_bytes')).toEqual(sizes)
    expect(histogram('response_size_bytes')).toEqual(sizes)
  })
})

test('how the watching goes is read at each scrape', () => {
  expect(value('switchyard_watches_total{resource="Service"}')).toBe('3')
  expect(value('switchyard_watch_troubles_total{reason="gone",resource="Service"}')).toBe('1')
  expect(value('switchyard_watch_troubles_total{reason="silence",resource="Service"}')).toBe('2')
  expect(value('switchyard_watch_heard_timestamp_seconds{resource="Service"}')).toBe('2')
})

test('lost claims, health check servers, Events, programs and the process itself have their numbers', () => {
  metrics.sent('dropped')
  metrics.ran({ ...RESTORE, code: 4 })
  expect(value('switchyard_lost_claims{ip_family="IPv6"}')).toBe('2')
  expect(value('switchyard_refused_service_ports{ip_family="IPv6"}')).toBe('1')
  expect(value('switchyard_health_check_servers{state="waiting"}')).toBe('1')
  expect(value('switchyard_events_total{result="dropped"}')).toBe('1')
  expect(value('switchyard_command_failures_total{program="iptables-restore"}')).toBe('1')
  expect(value('switchyard_build_info{mode="iptables",node="v26",version="v1"}')).toBe('1')
  expect(value('process_start_time_seconds')).toBe('900')
  expect(value('process_resident_memory_bytes')).toBe('6.5e+07')
  expect(value('process_open_fds')).toBe('20')
})
