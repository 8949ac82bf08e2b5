import { posix } from 'node:path'
import { sourceOf } from './source.ts'
import type { SourceFile } from './violations.ts'

// Files and what they import, types included → the circles among them, each as its files in order.

/** Paths from the top of the project on: `src/main.ts`, `lab/start.ts`. */
export function circlesOf(files: readonly SourceFile[]): readonly (readonly string[])[] {
  const imports = new Map(files.map(file => [file.path, importsOf(file)]))
  const circles: string[][] = []
  const done = new Set<string>()
  const way: string[] = []
  const visit = (path: string): void => {
    const at = way.indexOf(path)
    if (at >= 0) circles.push(way.slice(at))
    if (at >= 0 || done.has(path)) return
    way.push(path)
    for (const next of imports.get(path) ?? []) if (imports.has(next)) visit(next)
    way.pop()
    done.add(path)
  }
  for (const { path } of files) visit(path)
  return circles
}

function importsOf({ path, text }: SourceFile): readonly string[] {
  return sourceOf(text).imports.flatMap(({ from }) => {
    if (from.startsWith('#lab/')) return [from.slice(1)]
    if (from.startsWith('#')) return [`src/${from.slice(1)}`]
    return from.startsWith('.') ? [posix.join(posix.dirname(path), from)] : []
  })
}
