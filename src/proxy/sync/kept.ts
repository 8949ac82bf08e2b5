import type { Ruleset, Unit } from '#proxy/modes/mode.ts'
import { hash16 } from '#values/digest.ts'

// What was believed of the kernel when a process ended ⇄ a text for the next one. Where no commit has been made since, the
// kernel has exactly this, and nothing need be read: at 10,000 Services × 10 that would take minutes.

/** All that must be as it was. Any difference, and the text says nothing about this kernel. */
export interface KeptFor {
  /** The number of the last commit. */
  readonly generation: number
  /** Another program, mode, tool, boot or network namespace means something else by the same words. */
  readonly identity: readonly string[]
}

/** Units by the hash of their text. */
export type KeptUnits = ReadonlyMap<Unit, string>

const FORMAT = 'switchyard belief 1'

export function keptText(installed: Ruleset, { generation, identity }: KeptFor): string {
  const lines = [...installed].map(([unit, text]) => `${hash16(text)} ${unit}`)
  const body = [FORMAT, JSON.stringify({ generation, identity, units: lines.length }), ...lines, ''].join('\n')
  return `${body}${hash16(body)}\n`
}

/** Undefined where anything is amiss: a byte, the end, another boot, another generation. */
export function keptUnits(text: string, { generation, identity }: KeptFor): KeptUnits | undefined {
  const end = text.lastIndexOf('\n', text.length - 2) + 1
  const body = text.slice(0, end)
  if (text.slice(end) !== `${hash16(body)}\n`) return undefined
  const [format, head, ...lines] = body.split('\n')
  lines.pop()
  if (format !== FORMAT || head !== JSON.stringify({ generation, identity, units: lines.length })) return undefined
  const units = new Map(lines.map(line => [line.slice(HASH + 1), line.slice(0, HASH)]))
  return units.size === lines.length ? units : undefined
}

const HASH = 16
