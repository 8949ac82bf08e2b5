import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

// One run of the tests → a folder for what its files build: whichever is the first builds, the others find it there.

declare module 'vitest' {
  interface ProvidedContext {
    buildFolder: string
  }
}

/** Called by Vitest before the first file; what it returns, after the last one. */
export default function buildFolder(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-built-'))
  project.provide('buildFolder', folder)
  project.onTestsRerun(async () => {
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true })
  })
  return () => rmSync(folder, { recursive: true, force: true })
}
