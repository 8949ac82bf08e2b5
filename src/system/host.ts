import { cpus, hostname } from 'node:os'

// What this process was given by the machine it runs on.

export function hostName(): string {
  return hostname()
}

export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env
}

/** The Node.js that runs this. */
export function nodeProgram(): string {
  return process.execPath
}

/** The shared libraries it has loaded, but those of the C library, which every machine has. */
export function nodeLibraries(): readonly string[] {
  const { sharedObjects } = process.report.getReport() as { readonly sharedObjects: readonly string[] }
  return sharedObjects.filter(path => /\/lib(?:stdc\+\+|gcc_s|atomic)\.so/.test(path))
}

/** At once, whatever is still under way; all output has been written by then, see output.ts. */
export function leave(code: number): never {
  process.exit(code)
}

/** Of the whole machine, even where this process may use only some. */
export function cpuCount(): number {
  return Math.max(1, cpus().length)
}
