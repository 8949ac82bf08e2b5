import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { install } from '#cni/install/install.ts'
import type { InstallParts, InstallPlan } from '#cni/install/plan.ts'
import { uninstall } from '#cni/install/uninstall.ts'
import { hostExecutables } from '#system/executables.ts'
import { type PlacedFiles, placedFiles } from '#system/placed-files.ts'

// Real folders of plugins and configurations, and what is installed there.

export class Folders {
  readonly root = mkdtempSync(join(tmpdir(), 'install-'))
  readonly bin = join(this.root, 'bin')
  readonly conf = join(this.root, 'conf')
  readonly sources = {
    helper: this.write('src/shim', HELPER),
    program: this.write('src/cni.js', 'cni'),
    node: this.write('src/node', 'node'),
    libraries: [this.write('src/libatomic.so.1', 'atomic')],
  }

  write(name: string, text: string, mode = 0o755): string {
    const path = join(this.root, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    chmodSync(path, mode)
    return path
  }

  plan(more: Partial<InstallPlan> = {}): InstallPlan {
    return { binDir: this.bin, replacesStandard: false, sources: this.sources, ...more }
  }

  configuration(text: string): Pick<InstallPlan, 'configuration'> {
    return { configuration: { path: join(this.conf, '10-pods.conflist'), text } }
  }

  install(plan: InstallPlan, more: Partial<InstallParts> = {}): Promise<readonly string[]> {
    return install(plan, { files: placedFiles, executables: hostExecutables(), untilServed: async () => {}, ...more })
  }

  uninstall(): Promise<readonly string[]> {
    return uninstall(this.bin, { files: placedFiles, executables: hostExecutables() })
  }

  /** Everything there is in both folders, by its path. */
  content(): Readonly<Record<string, string>> {
    const paths = ['bin', 'conf'].flatMap(folder => {
      mkdirSync(join(this.root, folder), { recursive: true })
      const entries = readdirSync(join(this.root, folder), { recursive: true, withFileTypes: true })
      return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
    })
    return Object.fromEntries(paths.sort().map(path => [path.slice(this.root.length + 1), readFileSync(path, 'utf8')]))
  }

  remove(): void {
    rmSync(this.root, { recursive: true })
  }
}

/** By these words our executables are known. */
export const HELPER = 'ELF a CNI plugin of Switchyard'

/** Files of which the change of this number fails; `changes` counts them. */
export function failingAt(number: number): PlacedFiles & { readonly changes: () => number } {
  let changes = 0
  const counted = <A extends readonly unknown[]>(change: (...args: A) => Promise<void>) => {
    return (...args: A): Promise<void> => {
      changes += 1
      return changes === number ? Promise.reject(new Error('no space left on device')) : change(...args)
    }
  }
  const { place, link } = placedFiles
  return { ...placedFiles, place: counted(place), link: counted(link), changes: () => changes }
}
