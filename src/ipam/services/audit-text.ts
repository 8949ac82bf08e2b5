import { ADVICE, type RangeFinding } from './audit.ts'

// Findings of the audit → lines for the operator, what is wrong before what is only to be known, each reason with what to do.

export interface AuditedCounts {
  readonly services: number
  /** Undefined where the cluster has none. */
  readonly addresses: number | undefined
}

export function auditText(findings: readonly RangeFinding[], counts: AuditedCounts): string {
  const inOrder = [...of(findings, 'error'), ...of(findings, 'note')]
  return [...inOrder.map(line(inOrder)), ...advice(inOrder), summary(findings, counts)].join('\n')
}

export function auditJson(findings: readonly RangeFinding[], counts: AuditedCounts): string {
  const all = findings.map(finding => ({ ...finding, advice: ADVICE[finding.reason] }))
  return JSON.stringify({ ...counts, findings: all }, undefined, 2)
}

function of(findings: readonly RangeFinding[], weight: RangeFinding['weight']): readonly RangeFinding[] {
  return findings.filter(finding => finding.weight === weight)
}

function line(all: readonly RangeFinding[]): (finding: RangeFinding) => string {
  const widest = (text: (finding: RangeFinding) => string) =>
    all.reduce((most, finding) => Math.max(most, text(finding).length), 0)
  const [reasons, names] = [widest(({ reason }) => reason), widest(({ about }) => about)]
  return ({ weight, reason, about, message }) =>
    `${weight.toUpperCase().padEnd(5)}   ${reason.padEnd(reasons)}   ${about.padEnd(names)}   ${message}`
}

function advice(findings: readonly RangeFinding[]): readonly string[] {
  const reasons = [...new Set(findings.map(({ reason }) => reason))]
  return reasons.length === 0 ? [] : ['', ...reasons.map(reason => `${reason}: ${ADVICE[reason]}.`), '']
}

function summary(findings: readonly RangeFinding[], { services, addresses }: AuditedCounts): string {
  const looked = `${count(services, 'Service', 'Services')} and ${addresses === undefined ? 'no IPAddresses, which this cluster does not have or does not show' : count(addresses, 'IPAddress', 'IPAddresses')}`
  const [errors, notes] = [of(findings, 'error').length, of(findings, 'note').length]
  const found = errors === 0 ? 'nothing is wrong' : `${count(errors, 'error', 'errors')}; nothing was changed`
  return `${looked}: ${found}${notes > 0 ? `, ${count(notes, 'note', 'notes')}` : ''}.`
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`
}
