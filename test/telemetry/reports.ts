import type { Report } from '#proxy/sync/report.ts'
import { NO_CHANGES } from '#proxy/sync/service-changes.ts'

// A sync that went well and changed nothing, unless it says otherwise.

export function report(more: Partial<Report> = {}): Report {
  return {
    mode: 'iptables',
    numbers: { stages: true, rules: true },
    family: 'ipv4',
    startedAt: 0,
    tookMs: 100,
    stages: { draw: 1, read: 20, plan: 4, write: 70, forget: 5 },
    looked: false,
    doubted: 0,
    drift: { count: 0, units: [] },
    units: { added: 0, changed: 0, removed: 0 },
    commands: 0,
    bytes: 0,
    serviceChanges: NO_CHANGES,
    flows: { isAsked: false, forgotten: 0 },
    ...more,
  }
}

export const FAILURE = { error: new Error('no'), retryMs: 1000 }
