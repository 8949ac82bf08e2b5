import { expect, test } from 'vitest'
import type { Report } from '#proxy/sync/report.ts'
import { CommandFailed } from '#system/must.ts'
import { openLog } from '#telemetry/log/klog.ts'
import { logReport } from '#telemetry/log/report.ts'
import { report } from '../reports.ts'

/** Without the part of the line that says when and where. */
function logged(more: Partial<Report>, verbosity = 0): readonly string[] {
  const lines: string[] = []
  const sink = { write: (line: string) => lines.push(line) }
  logReport(openLog({ format: 'text', verbosity, clock: { now: () => 0 }, pid: 1, sink }), report(more))
  return lines.map(line => line.trimEnd().replace(/^(.)\d{4} .*?\] /, '$1 '))
}

const ABOUT = 'mode="iptables" ipFamily="IPv4"'

test('durations have three digits, whatever the clock measured', () => {
  const stages = { draw: 1.234_567, read: 0, plan: 0.045_678, write: 1234.567_8, forget: 20 }
  const units = { added: 1, changed: 0, removed: 0 }
  expect(logged({ tookMs: 146.666_66, stages, units }, 2)).toEqual([
    `I "Sync complete" ${ABOUT} elapsed="147ms" stages={"draw":"1.23ms","read":"0s","plan":"45.7µs","write":"1.23s","forget":"20ms"} looked=false added=1 changed=0 removed=0 commands=0 bytes=0 forgottenFlows=0`,
  ])
})

test('a sync that changed nothing is logged from verbosity 4 on, one that changed something from 2', () => {
  expect(logged({}, 3)).toEqual([])
  expect(logged({}, 4)).toHaveLength(1)
  expect(logged({ units: { added: 0, changed: 1, removed: 0 } }, 1)).toEqual([])
})

test('a Service whose rules the kernel refuses is named, with the line that it refused', () => {
  const command = {
    does: 'restore' as const,
    argv: ['iptables-restore'] as const,
    input: '*nat\n-A X -j NOSUCH\nCOMMIT\n',
  }
  const error = new CommandFailed(command, { code: 2, stdout: '', stderr: 'Error occurred at line: 2' })
  const refused = [{ owner: 'shop/cart/tcp', unit: 'nat X', error }]
  expect(logged({ refused })[0]).toBe(
    `E "The kernel refuses the rules of a Service; all others are written" err="iptables-restore exited with 2: Error occurred at line: 2" ${ABOUT} service="shop/cart/tcp" unit="nat X" near=[":2 -A X -j NOSUCH"] count=1`,
  )
})

test('rules that another program changed, units that are blocked and flows that stay are warned of', () => {
  const blocked = Array.from({ length: 7 }, (_, i) => ({ unit: `nat KUBE-SVC-${i}`, by: '-A X -j KUBE-SVC' }))
  const shown = blocked.slice(0, 5).map(({ unit, by }) => `"${unit}: ${by}"`)
  const flows = { isAsked: true, forgotten: 0, error: new Error('no conntrack') }
  expect(logged({ drift: { count: 1, units: ['nat KUBE-SERVICES'] }, blocked, flows })).toEqual([
    `E "Could not delete stale conntrack entries; they stay pending" err="no conntrack" ${ABOUT}`,
    `W "Another program had changed our rules; they are restored" ${ABOUT} count=1 units=["nat KUBE-SERVICES"]`,
    `W "Emptied what cannot be deleted: foreign rules lead there" ${ABOUT} blocked=[${shown.join(',')}] count=7`,
  ])
})

test('a failure says what was refused, and what happens next and when', () => {
  const command = { does: 'restore', argv: ['iptables-restore'], input: '*nat\n-A X -j Y\nCOMMIT\n' } as const
  const outcome = { code: 2, stdout: '', stderr: 'iptables-restore: line 2 failed' }
  const [line] = logged({ failure: { error: new CommandFailed(command, outcome), retryMs: 1234.5 } })
  expect(line).toMatch(
    /^E "Sync failed" err="iptables-restore .*line 2 failed" mode="iptables" ipFamily="IPv4" near=\[/,
  )
  expect(line).toMatch(/ next="look again and rewrite what differs" in="1\.23s"$/)
})
