import type { Outcome } from '#system/ports.ts'

// What `ip`, `bridge`, `nsenter`, `cat` and `tee` say when something is refused → the kernel's word for it.

export interface CommandRefusal {
  readonly code: string
  readonly said: string
}

/** By what the message holds; the first that fits. Where the kernel gives a reason in words, `ip` leaves out its word. */
const CODES: readonly (readonly [RegExp, string])[] = [
  [/not found in PATH|failed to execute/, 'ENOSYS'],
  [/File exists|address already assigned/i, 'EEXIST'],
  [/Cannot find (?:bridge )?device|Device (?:".*" )?does not exist|No such device|Device not found/, 'ENODEV'],
  [/address not found|Cannot assign requested address/i, 'EADDRNOTAVAIL'],
  [/No such process|FIB table does not exist/, 'ESRCH'],
  [/Device for nexthop is not up|Nexthop device is not up|Network is down/i, 'ENETDOWN'],
  [/enslave a bridge to a bridge|Too many levels/, 'ELOOP'],
  [/invalid gateway|Network is unreachable/, 'ENETUNREACH'],
  [/No route to host/, 'EHOSTUNREACH'],
  [/Operation not permitted/, 'EPERM'],
  [/Permission denied|IPv6 is disabled/, 'EACCES'],
  [/Read-only file system/, 'EROFS'],
  [/Operation not supported|Unknown device type/, 'ENOTSUP'],
  [/Device or resource busy/, 'EBUSY'],
  [/No such file or directory|Invalid "netns" value/, 'ENOENT'],
  [/Not a directory/, 'ENOTDIR'],
  [/Is a directory/, 'EISDIR'],
  [/Numerical result out of range/, 'ERANGE'],
  [/No buffer space available/, 'ENOBUFS'],
  [/Cannot allocate memory/, 'ENOMEM'],
  [/No space left on device/, 'ENOSPC'],
]

export function commandRefusal({ stderr }: Outcome): CommandRefusal {
  const found = CODES.find(([pattern]) => pattern.test(stderr))
  return { code: found?.[1] ?? 'EINVAL', said: firstSentence(stderr) }
}

function firstSentence(stderr: string): string {
  const line = stderr.split('\n').find(text => text.trim() !== '') ?? 'the command said nothing'
  return line
    .trim()
    .replace(/^(?:RTNETLINK answers|Error): /, '')
    .replace(/\.$/, '')
}
