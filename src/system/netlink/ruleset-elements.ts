import type { SetElement } from '#system/ports.ts'
import { attributesIn, textOf } from './message.ts'
import { HEADER } from './nfnetlink.ts'
import { valueAt, verdictOf } from './rule-targets.ts'

// A message of the kernel with elements of a map or set → each of them.

const ELEMENTS = 3
const KEY = 1
const DATA = 2
const USER_DATA = 6
const VALUE = 1
const VERDICT = 2

export function* elementsIn(body: Buffer): Generator<SetElement> {
  for (const [type, list] of attributesIn(body, HEADER)) {
    if (type !== ELEMENTS) continue
    for (const [, element] of attributesIn(list, 0)) yield elementOf(element)
  }
}

function elementOf(element: Buffer): SetElement {
  let key: Buffer = NONE
  let value: SetElement['value']
  let comment: string | undefined
  for (const [type, bytes] of attributesIn(element, 0)) {
    if (type === KEY) key = valueAt(bytes, VALUE) ?? NONE
    else if (type === DATA) value = mapped(bytes)
    else if (type === USER_DATA) comment = commentOf(bytes)
  }
  // The bytes belong to the socket, which uses them for the next message.
  return {
    key: Buffer.from(key),
    ...(value !== undefined && { value }),
    ...(comment !== undefined && { comment }),
  }
}

const NONE = Buffer.alloc(0)

function mapped(data: Buffer): Buffer | string | undefined {
  const verdict = valueAt(data, VERDICT)
  if (verdict === undefined) return Buffer.from(valueAt(data, VALUE) ?? NONE)
  const { code, chain } = verdictOf(verdict) ?? { code: Number.NaN, chain: undefined }
  const word = VERDICTS[code] ?? `verdict ${code}`
  return chain === undefined ? word : `${word} ${chain}`
}

const VERDICTS: Readonly<Record<number, string>> = {
  [-5]: 'return',
  [-4]: 'goto',
  [-3]: 'jump',
  [-1]: 'continue',
  0: 'drop',
  1: 'accept',
}

/** nft's own: a type, a length, and a text with its closing zero. */
const COMMENT = 0

function commentOf(userData: Buffer): string | undefined {
  for (let at = 0; at + 2 <= userData.length; ) {
    const [type, length] = [userData[at]!, userData[at + 1]!]
    if (type === COMMENT) return textOf(userData.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return undefined
}
