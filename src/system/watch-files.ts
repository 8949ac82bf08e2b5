import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs'
import { dirname } from 'node:path'

// A path → a call whenever something may have happened to the file there, whichever way it is changed: written in place,
// replaced, deleted and made anew, or behind a symbolic link that turns, as a ConfigMap's does.

export interface FileWatch {
  /** Follows the links as they are now. To be called after each notice, before the file is read. */
  aim(): void
  close(): void
}

/** May call without any change, and misses what the file system does not report: a caller that must know also reads the file now and then. */
export function watchFile(path: string, mayHaveChanged: () => void): FileWatch {
  return new LinkedFileWatch(path, mayHaveChanged)
}

class LinkedFileWatch implements FileWatch {
  readonly #path: string
  readonly #mayHaveChanged: () => void
  /** By what is watched: a folder or file that was replaced under the same name is another one. */
  #watchers = new Map<string, FSWatcher>()

  constructor(path: string, mayHaveChanged: () => void) {
    this.#path = path
    this.#mayHaveChanged = mayHaveChanged
    this.aim()
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close()
  }

  aim(): void {
    const before = this.#watchers
    this.#watchers = new Map()
    for (const target of targets(this.#path)) {
      const key = identity(target)
      const watcher = key === undefined ? undefined : (before.get(key) ?? this.#watch(target))
      if (key === undefined || watcher === undefined) continue
      this.#watchers.set(key, watcher)
      before.delete(key)
    }
    for (const watcher of before.values()) watcher.close()
  }

  #watch(target: string): FSWatcher | undefined {
    try {
      const watcher = watch(target, { persistent: false }, this.#mayHaveChanged)
      watcher.on('error', this.#mayHaveChanged)
      return watcher
    } catch {
      // The target is gone by now, or this host has no inotify watches left.
      return undefined
    }
  }
}

/** The folder of the name, for links that turn; that of the file behind it; and the file, which may be mounted by itself. */
function targets(path: string): ReadonlySet<string> {
  const real = realPath(path)
  return new Set([dirname(path), ...(real === undefined ? [] : [dirname(real), real])])
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

function identity(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true })
  return stat === undefined ? undefined : `${path} ${stat.dev} ${stat.ino}`
}
