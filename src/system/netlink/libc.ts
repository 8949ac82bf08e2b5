/// <reference path="./ffi.d.ts" />
import type { Signature } from 'node:ffi'

// libc's sockets → functions. node:ffi is built into Node 26, experimental, and may be refused (--no-experimental-ffi,
// another libc): then there is no Libc, and callers do without.

export interface Libc {
  socket(domain: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array): number
  connect(fd: number, address: Uint8Array): number
  /** The address goes into `address`, its length into `length`, which says before how much there is room for. */
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number
  setsockopt(fd: number, level: number, option: number, value: Uint8Array): number
  /** The value goes into `value`, its length into `length`, which says before how much there is room for. */
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array): number
  send(fd: number, bytes: Uint8Array): number
  /** How many bytes came; -1 where none did: see `errno`. */
  recv(fd: number, into: Uint8Array): number
  close(fd: number): number
  setns(fd: number): number
  /** `operation` as in sys/file.h. */
  flock(fd: number, operation: number): number
  /** Of the call before, if nothing else was called since. */
  errno(): number
}

const SIGNATURES = {
  socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
  bind: { arguments: ['int32', 'buffer', 'uint32'], return: 'int32' },
  connect: { arguments: ['int32', 'buffer', 'uint32'], return: 'int32' },
  getsockname: { arguments: ['int32', 'buffer', 'buffer'], return: 'int32' },
  setsockopt: { arguments: ['int32', 'int32', 'int32', 'buffer', 'uint32'], return: 'int32' },
  getsockopt: { arguments: ['int32', 'int32', 'int32', 'buffer', 'buffer'], return: 'int32' },
  send: { arguments: ['int32', 'buffer', 'uint64', 'int32'], return: 'int64' },
  recv: { arguments: ['int32', 'buffer', 'uint64', 'int32'], return: 'int64' },
  close: { arguments: ['int32'], return: 'int32' },
  setns: { arguments: ['int32', 'int32'], return: 'int32' },
  flock: { arguments: ['int32', 'int32'], return: 'int32' },
  __errno_location: { arguments: [], return: 'pointer' },
} as const satisfies Readonly<Record<string, Signature>>

const MSG_DONTWAIT = 0x40
const CLONE_NEWNET = 0x4000_0000

let loaded: Libc | 'refused' | undefined

/** Loaded at the first call: a verb that needs no netlink pays nothing for it. */
export function libc(): Libc | undefined {
  loaded ??= load() ?? 'refused'
  return loaded === 'refused' ? undefined : loaded
}

function load(): Libc | undefined {
  const ffi = withoutItsWarning(() => process.getBuiltinModule('node:ffi'))
  if (ffi === undefined) return undefined
  try {
    const { functions: c } = ffi.dlopen(null, SIGNATURES)
    return {
      socket: (domain, type, protocol) => Number(c.socket(domain, type, protocol)),
      bind: (fd, address) => Number(c.bind(fd, address, address.length)),
      connect: (fd, address) => Number(c.connect(fd, address, address.length)),
      getsockname: (fd, address, length) => Number(c.getsockname(fd, address, length)),
      setsockopt: (fd, level, option, value) => Number(c.setsockopt(fd, level, option, value, value.length)),
      getsockopt: (fd, level, option, value, length) => Number(c.getsockopt(fd, level, option, value, length)),
      send: (fd, bytes) => Number(c.send(fd, bytes, BigInt(bytes.length), 0)),
      recv: (fd, into) => Number(c.recv(fd, into, BigInt(into.length), MSG_DONTWAIT)),
      close: fd => Number(c.close(fd)),
      setns: fd => Number(c.setns(fd, CLONE_NEWNET)),
      flock: (fd, operation) => Number(c.flock(fd, operation)),
      errno: () => ffi.getInt32(BigInt(c.__errno_location())),
    }
  } catch {
    return undefined
  }
}

/** Node warns once that FFI is experimental. Every other warning is printed as always. */
function withoutItsWarning<T>(load: () => T): T | undefined {
  const emitWarning = process.emitWarning
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    if (!String(warning).startsWith('FFI is an experimental feature')) {
      Reflect.apply(emitWarning, process, [warning, ...rest])
    }
  }
  try {
    return load()
  } catch {
    return undefined
  } finally {
    process.emitWarning = emitWarning
  }
}
