import { attributesIn, textOf } from './message.ts'
import { HEADER } from './nfnetlink.ts'

// Rules as the kernel lists them → the chains to which they lead.

const EXPRESSIONS = 4
const NAME = 1
const DATA = 2

/** The chains that a rule jumps to, not through a map. */
export function targetsOf(rule: Buffer): readonly string[] {
  const targets: string[] = []
  for (const [type, value] of attributesIn(rule, HEADER)) {
    if (type !== EXPRESSIONS) continue
    for (const [, expression] of attributesIn(value, 0)) {
      const target = targetOf(expression)
      if (target !== undefined) targets.push(target)
    }
  }
  return targets
}

const IMMEDIATE_DATA = 2
const VERDICT = 2

function targetOf(expression: Buffer): string | undefined {
  const name = valueAt(expression, NAME)
  if (name === undefined || textOf(name) !== 'immediate') return undefined
  const verdict = valueAt(expression, DATA, IMMEDIATE_DATA, VERDICT)
  return verdict && verdictOf(verdict)?.chain
}

const VERDICT_CODE = 1
const VERDICT_CHAIN = 2

/** The code is a signed number: -3 jumps, -4 goes to a chain, 0 drops, 1 accepts. */
export function verdictOf(verdict: Buffer): { readonly code: number; readonly chain: string | undefined } | undefined {
  const [code, chain] = [valueAt(verdict, VERDICT_CODE), valueAt(verdict, VERDICT_CHAIN)]
  if (code === undefined || code.length < 4) return undefined
  return { code: code.readInt32BE(), chain: chain && textOf(chain) }
}

/** An attribute within attributes, by their types from the outermost on. */
export function valueAt(nested: Buffer, ...path: readonly number[]): Buffer | undefined {
  let value: Buffer | undefined = nested
  for (const wanted of path) {
    if (value === undefined) return undefined
    value = attributesIn(value, 0).find(([type]) => type === wanted)?.[1]
  }
  return value
}
