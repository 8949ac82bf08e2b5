import { isPort } from './names.ts'

// `30000-32767`, `8080`, `30000+99` → a range of ports, or nothing.

export interface PortRange {
  readonly first: number
  readonly last: number
}

/** kube-proxy's three forms; `0` and empty text mean "any port", which is no range: undefined is for bad text only. */
export function parsePortRange(text: string): PortRange | 'any' | undefined {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed === '0' || trimmed === '0-0') return 'any'
  const match = /^(\d{1,5})(?:([-+])(\d{1,5}))?$/.exec(trimmed)
  if (match === null) return undefined
  const first = Number(match[1])
  const second = match[3] === undefined ? first : Number(match[3])
  const last = match[2] === '+' ? Math.min(first + second, 65535) : second
  return isPort(first) && isPort(last) && first <= last ? { first, last } : undefined
}
