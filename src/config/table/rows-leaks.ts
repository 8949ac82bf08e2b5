import type { Setting } from './setting.ts'

// Rows: leases whose pods are gone, and what becomes of them.

const LEAK_CHOICES = ['report', 'free'] as const

export const LEAK_ROWS: readonly Setting[] = [
  {
    flag: 'leaks',
    kind: 'text',
    words: LEAK_CHOICES,
    initial: 'report',
    verbs: ['pods'],
    group: 'leaks',
    help: 'What becomes of a lease that no witness names in three rounds: "report" logs and counts it, "free" takes back all of its attachment. Witnesses are its network namespace, the results of the runtime, and the pods of the API server where one is configured.',
  },
  {
    flag: 'leaks-period',
    kind: 'duration',
    initial: 60_000,
    verbs: ['pods'],
    group: 'leaks',
    help: 'A round each time this has passed; at least 30s, and 0 looks for no leaks.',
  },
  {
    flag: 'free',
    kind: 'switch',
    initial: false,
    verbs: ['ipam'],
    group: 'verb',
    help: 'With gc: take back what is leaked. Without it, gc only prints what it would take back.',
  },
]
