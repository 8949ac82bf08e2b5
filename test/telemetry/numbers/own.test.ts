import { beforeEach, expect, test } from 'vitest'
import type { Metrics } from '#telemetry/metrics.ts'
import { FAILURE, report } from '../reports.ts'
import { RESTORE, Scraped } from './scraped.ts'

// The numbers that kube-proxy does not have.

let scraped: Scraped
let metrics: Metrics
beforeEach(() => {
  scraped = new Scraped()
  metrics = scraped.metrics
})
const value = (series: string): string | undefined => scraped.value(series)

test('a sync adds up what it changed, where its time went, and what it restored', () => {
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

test('a sync that failed counts as one, and nothing else of it does', () => {
  metrics.reported(report({ failure: FAILURE, units: { added: 5, changed: 0, removed: 0 }, commands: 3, bytes: 9 }))
  expect(value('switchyard_syncs_total{ip_family="IPv4",mode="iptables",result="failure"}')).toBe('1')
  expect(scraped.text()).not.toMatch(/switchyard_(sync_units|sync_commands|sync_bytes|drift)_total\{/)
})

test('drift that is none is no repair, and connections that could not be ended are a failure', () => {
  metrics.reported(report({ flows: { isAsked: true, forgotten: 2, error: new Error('no conntrack') } }))
  expect(value('switchyard_drift_units_total{ip_family="IPv4"}')).toBe('0')
  expect(scraped.text()).not.toContain('switchyard_drift_repairs_total{')
  expect(scraped.text()).toMatch(/flow\w*_failures_total\{ip_family="IPv4"\} 1\n/)
})
