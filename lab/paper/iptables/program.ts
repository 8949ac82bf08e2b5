import type { Machine } from '#lab/paper/machine.ts'
import type { Outcome } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import type { CommitError } from './apply.ts'
import type { Variant } from './builtin.ts'
import type { Refused } from './refused.ts'
import type { Ruleset } from './ruleset.ts'

// argv[0] → which iptables this is, and how it reports errors.

export interface ProgramName {
  readonly family: Family
  /** Absent where the plain name was used. */
  readonly variant: Variant | undefined
  readonly role: 'command' | 'restore' | 'save'
}

export function programName(name: string): ProgramName | undefined {
  const match = /^ip(6?)tables(?:-(nft|legacy))?(?:-(restore|save))?$/.exec(name)
  if (match === null) return undefined
  const role = (match[3] ?? 'command') as ProgramName['role']
  return { family: match[1] === '6' ? 'ipv6' : 'ipv4', variant: match[2] as Variant | undefined, role }
}

/** One run of one of the programs. */
export interface Program extends Omit<ProgramName, 'variant'> {
  readonly called: string
  readonly variant: Variant
  readonly ruleset: Ruleset
  readonly machine: Machine
}

/** Legacy programs and the plain command always use the plain name of the tool. */
export function ownName({ called, family, variant, role }: Program): string {
  if (variant === 'nft' && role !== 'command') return called
  return `ip${family === 'ipv6' ? '6' : ''}tables${role === 'command' ? '' : `-${role}`}`
}

export function version(program: Program): string {
  return `${ownName(program)} v1.8.9 (${program.variant === 'nft' ? 'nf_tables' : 'legacy'})`
}

export function done(stdout = ''): Outcome {
  return { code: 0, stdout, stderr: '' }
}

export function failed(code: number, stderr: string): Outcome {
  return { code, stdout: '', stderr: `${stderr}\n` }
}

/** `line` where it happened in a restore document. */
export function refusal(program: Program, { kind, message }: Refused, line?: number): Outcome {
  const name = ownName(program)
  if (kind === 'table') {
    if (line === undefined) return failed(1, `${name}: ${message}.`)
    return failed(
      1,
      program.variant === 'nft' ? `${name}: line ${line} failed: ${message}.` : `${name}: line ${line} failed`,
    )
  }
  const where = line === undefined ? [] : [`Error occurred at line: ${line}`]
  const said = kind === 'bare' ? message : `${version(program)}: ${message}`
  return failed(2, [said, ...where, `Try \`${name} -h' or '${name} --help' for more information.`].join('\n'))
}

/** What the kernel said to iptables-nft at the commit. */
export function kernelRefusal(program: Program, errors: readonly CommitError[]): Outcome {
  const lines = errors.map(({ line, operation, error, where }) => {
    return `${line === undefined ? ' ' : `\nline ${line}: `}${operation} failed (${error}): ${where}`
  })
  return failed(4, `${version(program)}: ${lines.join('')}`)
}
