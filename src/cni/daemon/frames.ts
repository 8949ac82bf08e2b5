import type { PluginAnswer } from '../answer.ts'
import type { PluginCall } from '../protocol/decode.ts'

// Bytes of the daemon's socket ⇄ what they say. The other end is src/cni/shim.c:
//
//   helper   u32 length, then `2`, the executable's name, `CNI_…=…` …, an empty string (each ended by a zero), and stdin
//   daemon   `r` (ready), and begins the work once the kernel has taken it
//   daemon   `.` every second while it works
//   daemon   `=`, u32 exit status, u32 and u32 lengths, stdout, stderr
//
// Numbers are in network order. A helper that has waited too long for `r` shuts its end down before it does the work itself:
// from then on the kernel refuses an `r`, so the daemon begins nothing; one that was on its way is still there to be read. In
// version 1 the helper answered `r` with `g`, one way more for each pod.

export const READY = Buffer.from('r')
export const STILL_WORKING = Buffer.from('.')

/** A configuration and its environment; one with a thousand attachments to keep has 100,000 bytes. */
export const LARGEST_CALL = 17 * 2 ** 20

const NUMBER_BYTES = 4
const EQUALS = 0x3d
const WIRE_VERSION = '2'

export type CallFrame = { readonly call: PluginCall } | { readonly problem: string } | 'incomplete'

/** What has come so far → the call, once it is whole. */
export function readCall(bytes: Buffer): CallFrame {
  if (bytes.length < NUMBER_BYTES) return 'incomplete'
  const length = bytes.readUInt32BE(0)
  if (length > LARGEST_CALL) return { problem: `a call of ${length} bytes; at most ${LARGEST_CALL} are read` }
  if (bytes.length < NUMBER_BYTES + length) return 'incomplete'
  if (bytes.length > NUMBER_BYTES + length) return { problem: 'bytes after the end of the call' }
  return parseCall(bytes.subarray(NUMBER_BYTES))
}

function parseCall(body: Buffer): CallFrame {
  const strings: string[] = []
  for (let at = 0; ; ) {
    const end = body.indexOf(0, at)
    if (end < 0) return { problem: 'a call whose strings have no end' }
    if (end === at) return fromStrings(strings, body.toString('utf8', end + 1))
    strings.push(body.toString('utf8', at, end))
    at = end + 1
  }
}

function fromStrings([version, plugin, ...variables]: readonly string[], stdin: string): CallFrame {
  if (version !== WIRE_VERSION) {
    return { problem: `a helper that speaks version ${JSON.stringify(version ?? '')}; this is ${WIRE_VERSION}` }
  }
  if (plugin === undefined) return { problem: 'a call without the name of a plugin' }
  return { call: { plugin, env: Object.fromEntries(variables.map(variable)), stdin } }
}

function variable(text: string): readonly [string, string] {
  const equals = text.indexOf('=')
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)]
}

/** As the helper writes it: for programs that call the daemon without one. */
export function callBytes({ plugin, env, stdin }: PluginCall): Buffer {
  const strings = [WIRE_VERSION, plugin, ...Object.entries(env).map(([name, value]) => `${name}=${value}`), '']
  const body = Buffer.from(`${strings.map(text => `${text}\0`).join('')}${stdin}`)
  const length = Buffer.alloc(NUMBER_BYTES)
  length.writeUInt32BE(body.length)
  return Buffer.concat([length, body])
}

export function answerBytes({ code, stdout, stderr }: PluginAnswer): Buffer {
  const [out, err] = [Buffer.byteLength(stdout), Buffer.byteLength(stderr)]
  const bytes = Buffer.allocUnsafe(1 + 3 * NUMBER_BYTES + out + err)
  bytes[0] = EQUALS
  for (const [i, number] of [code, out, err].entries()) bytes.writeUInt32BE(number, 1 + NUMBER_BYTES * i)
  bytes.write(stdout, bytes.length - out - err)
  bytes.write(stderr, bytes.length - err)
  return bytes
}

/** What has come so far, without `r` → the answer, once it is whole. */
export function readAnswer(bytes: Buffer): PluginAnswer | undefined {
  const start = bytes.indexOf('=') + 1
  const texts = start + 3 * NUMBER_BYTES
  if (start === 0 || bytes.length < texts) return undefined
  const [code, out, err] = [0, 1, 2].map(i => bytes.readUInt32BE(start + i * NUMBER_BYTES)) as [number, number, number]
  if (bytes.length < texts + out + err) return undefined
  const text = (from: number, size: number): string => bytes.toString('utf8', from, from + size)
  return { code, stdout: text(texts, out), stderr: text(texts + out, err) }
}
