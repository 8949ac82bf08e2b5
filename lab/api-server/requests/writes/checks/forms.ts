import type { FieldProblem } from '../../refusals.ts'
import { unsupported, wrong } from './problems.ts'

// What several kinds have in common: ports, protocols, addresses, and the sentences of kube-apiserver about them.

export const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
export const PORT = 'must be between 1 and 65535, inclusive'
export const IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
export const RANGE = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'
export const LOOPBACK = 'may not be in the loopback range (127.0.0.0/8, ::1/128)'

export function oneOf(value: unknown, supported: readonly string[], field: string): readonly FieldProblem[] {
  return value === undefined || supported.includes(String(value)) ? [] : [unsupported(field, value, supported)]
}

/** Of a port that is called by a name: `http`, `web-2`. */
export function portNameProblems(name: string, field: string): readonly FieldProblem[] {
  const problems = [
    ...(name.length > 15 ? ['must be no more than 15 characters'] : []),
    ...(/^[-a-z0-9]+$/.test(name) ? [] : ['must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']),
    ...(/[a-z]/.test(name) ? [] : ['must contain at least one letter (a-z)']),
    ...(name.includes('--') ? ['must not contain consecutive hyphens'] : []),
    ...(/^-|-$/.test(name) ? ['must not begin or end with a hyphen'] : []),
  ]
  return problems.map(problem => wrong(field, name, problem))
}
