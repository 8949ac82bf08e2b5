import { join } from 'node:path'

// Where what is installed stands: below the folder of plugins, all but the plugins in one folder of ours.

/** What a configuration's `type` may say; the helper has all of them in it. */
export const OWN_EXECUTABLE = 'switchyard'
export const STANDARD_PLUGINS: readonly string[] = ['bridge', 'dhcp', 'host-local', 'loopback', 'portmap']

export function ownFolder(binDir: string): string {
  return join(binDir, '.switchyard')
}

/** A plugin of another make, until ours goes. */
export function keptPlugin(binDir: string, name: string): string {
  return join(ownFolder(binDir), 'replaced', name)
}

/** Runtimes read no file that ends so. */
export function keptConfiguration(path: string): string {
  return `${path}.replaced-by-switchyard`
}

/** What we have written to the folder of configurations: only that is ours to replace and remove. */
export function recordPath(binDir: string): string {
  return join(ownFolder(binDir), 'installed.json')
}

/** Names the folder whose leases were taken over when host-local was replaced. */
export function importedPath(binDir: string): string {
  return join(ownFolder(binDir), 'imported-from')
}
