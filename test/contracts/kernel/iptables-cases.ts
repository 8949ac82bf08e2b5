import type { IptablesCase } from './case.ts'
import { CHAINS } from './chains.ts'
import { COMMANDS } from './commands.ts'
import { DOCUMENTS } from './documents.ts'
import { PLACES } from './places.ts'
import { RULES } from './rules.ts'
import { WORDING } from './wording.ts'

// Everything iptables promises.

export const IPTABLES_CASES: readonly IptablesCase[] = [
  ...[...CHAINS, ...RULES, ...PLACES],
  ...[...WORDING, ...DOCUMENTS, ...COMMANDS],
]
