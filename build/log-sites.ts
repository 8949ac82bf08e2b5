import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Plugin } from 'esbuild'

// Calls of a logger in src → the same calls with the file and line they stand in, `log.at('agent.ts:78').info(…)`: the
// lines of a bundle are no help to a reader, and a source map of it takes time and memory at every start.

export const logSites: Plugin = {
  name: 'log sites',
  setup(builder) {
    builder.onLoad({ filter: /\/src\/.*\.ts$/, namespace: 'file' }, async ({ path }) => {
      if (path.includes('/node_modules/')) return undefined
      return { contents: withLogSites(await readFile(path, 'utf8'), basename(path)), loader: 'ts' }
    })
  },
}

/** A logger is a variable or field called `log`; the site is the line of the method's name, as in a stack. */
const LOG_CALL = /(?<=\blog)(?<dot>\s*\??\.\s*)(?=(?:say|info|warning|error|v)\()/g

export function withLogSites(source: string, file: string): string {
  return source.replace(LOG_CALL, (dot: string, _: string, offset: number) => {
    const line = source.slice(0, offset + dot.length).split('\n').length
    return `${dot.includes('?') ? '?.' : '.'}at('${file}:${line}')${dot.replace('?', '')}`
  })
}
