import { type Address, parseAddress } from './address.ts'
import { isPort } from './names.ts'

// The endpoints of a listener of the relay ⇄ one line: `to 10.244.1.3:8080 10.244.1.4:8080 sticky 10800`. Where it does
// not answer at every address of the node, the line says at which: `to [fd00:244:1::3]:53 at fd00:99::2`.

export interface PoolLine {
  /** As `hostPort` writes them, in the order in which they take turns. */
  readonly endpoints: readonly string[]
  /** A client that comes back within this time gets the same endpoint. */
  readonly stickySeconds?: number
  /** The one address at which the listener answers. */
  readonly at?: Address
}

export function poolLine({ endpoints, stickySeconds, at }: PoolLine): string {
  const sticky = stickySeconds === undefined ? '' : ` sticky ${stickySeconds}`
  return `to ${endpoints.join(' ')}${sticky}${at === undefined ? '' : ` at ${at}`}`
}

export function parsePoolLine(line: string): PoolLine | undefined {
  const match = /^to (\S+(?: \S+)*?)(?: sticky (\d+))?(?: at (\S+))?$/.exec(line)
  if (match === null) return undefined
  const endpoints = match[1]!.split(' ')
  const at = parseAddress(match[3])
  if (endpoints.some(text => parseHostPort(text) === undefined)) return undefined
  if (match[3] !== undefined && at === undefined) return undefined
  return {
    endpoints,
    ...(match[2] !== undefined && { stickySeconds: Number(match[2]) }),
    ...(at !== undefined && { at }),
  }
}

/** What `hostPort` writes. */
export function parseHostPort(text: string): { readonly ip: Address; readonly port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):([1-9]\d{0,4})$/.exec(text)
  const ip = parseAddress(match?.[1] ?? match?.[2])
  const port = Number(match?.[3])
  return ip !== undefined && isPort(port) ? { ip, port } : undefined
}
