import { closeSync, openSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import { type Libc, libc } from './libc.ts'

// The path of a network namespace → the namespace held open, and work that this thread does inside it.

/** The namespace cannot be had; `code` is the kernel's word: ENOENT, EINVAL where the path is no network namespace. */
export class NamespaceRefused extends Error {
  override readonly name = 'NamespaceRefused'
  readonly code: string

  constructor(path: string, code: string) {
    super(`network namespace ${path}: ${code}`)
    this.code = code
  }
}

/** The namespace lives on as long as it is held, also when its path is gone. */
export class HeldNamespace {
  readonly path: string
  readonly #libc: Libc
  readonly #onLost: () => never
  /** For messages that name a namespace by a file of ours. */
  readonly fd: number
  #isOpen = true

  private constructor(path: string, { libc: c, fd, onLost }: { libc: Libc; fd: number; onLost: () => never }) {
    this.path = path
    this.fd = fd
    this.#libc = c
    this.#onLost = onLost
  }

  /** Fails with NamespaceRefused. `onLost` stands in for the end of the process in tests. */
  static open(path: string, c: Libc | undefined = libc(), onLost = endAtOnce): HeldNamespace {
    if (c === undefined) throw new NamespaceRefused(path, 'ENOSYS')
    try {
      const held = new HeldNamespace(path, { libc: c, fd: openSync(path, 'r'), onLost })
      held.#refuseAnythingElse()
      return held
    } catch (error) {
      throw error instanceof NamespaceRefused ? error : new NamespaceRefused(path, codeOf(error))
    }
  }

  /**
   * `turn` must be over when it returns: the thread is in the other namespace for this one turn, and nothing else runs on it
   * meanwhile. A thread that cannot return must not go on: it would change the network of a pod and mean the node's.
   */
  inside<T>(turn: () => T): T {
    home ??= openSync('/proc/thread-self/ns/net', 'r')
    if (this.#libc.setns(this.fd) < 0) throw new NamespaceRefused(this.path, this.#error())
    try {
      return turn()
    } finally {
      if (this.#libc.setns(home) < 0) this.#onLost()
    }
  }

  close(): void {
    if (this.#isOpen) closeSync(this.fd)
    this.#isOpen = false
  }

  #refuseAnythingElse(): void {
    try {
      this.inside(() => {})
    } catch (error) {
      this.close()
      throw error
    }
  }

  #error(): string {
    return getSystemErrorName(-this.#libc.errno())
  }
}

/** The namespace this thread begins in and is always back in: it is opened once. */
let home: number | undefined

function codeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === undefined) throw error
  return code
}

/** No handler, no `finally`, no other turn: whatever ran next would run in the wrong namespace. */
function endAtOnce(): never {
  process.abort()
}
