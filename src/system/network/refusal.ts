import { getSystemErrorMap } from 'node:util'
import { NetworkRefused } from './network.ts'

// What could not be done, and why → a NetworkRefused whose sentence says both; names that no kernel takes are found here.

/** `EEXIST`; of a number that has no name, `E524`. */
export function codeOf(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[0] ?? `E${errno}`
}

/** `cannot add bridge "cni0": file already exists (EEXIST)` */
export function refusal({ doing, code, said }: { doing: string; code: string; said?: string | undefined }): Error {
  const words = said ?? WORDS.get(code)
  return new NetworkRefused(
    code,
    words === undefined ? `cannot ${doing}: ${code}` : `cannot ${doing}: ${words} (${code})`,
  )
}

const WORDS: ReadonlyMap<string, string> = new Map(getSystemErrorMap().values())

/** The kernel's IFNAMSIZ, without the closing zero. */
const LONGEST_NAME = 15

/** Undefined where the kernel would take the name for a link. */
export function badName(name: string): string | undefined {
  const bytes = Buffer.byteLength(name)
  if (bytes > LONGEST_NAME) return `the name has ${bytes} bytes, and an interface's may have ${LONGEST_NAME}`
  if (name === '' || name === '.' || name === '..') return 'that is no name of an interface'
  // The kernel would put a number in the place of a "%d".
  return /[/:%\s\0]/.test(name) ? 'the name of an interface has no "/", ":", "%", space or zero' : undefined
}

export function refuseBadName(doing: string, name: string): void {
  const said = badName(name)
  if (said !== undefined) throw refusal({ doing, code: 'EINVAL', said })
}

export function refuseBadMac(doing: string, mac: string | undefined): void {
  if (mac === undefined || /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(mac)) return
  const said = `"${mac}" is no MAC address, such as 0a:58:0a:f4:00:02`
  throw refusal({ doing, code: 'EINVAL', said })
}

export function refusedNamespace(path: string, code: string): Error {
  return refusal({ doing: `open the network namespace ${path}`, code, said: NAMESPACE_WORDS[code] })
}

const NAMESPACE_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'it is gone, or never was',
  EINVAL: 'that is no network namespace',
}

/** Of a path below /proc/sys/net: a name that holds `..` must not lead out of it. */
export function refuseBadSetting(path: string): void {
  const steps = path.split('/')
  const isGood = steps.every(step => step !== '' && step !== '.' && step !== '..' && !step.includes('\0'))
  if (!isGood) throw refusal({ doing: `use the setting ${JSON.stringify(path)}`, code: 'EINVAL', said: 'no such path' })
}
