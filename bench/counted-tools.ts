import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Every tool of the kernel behind a script that counts how often it is started and how much it is given to write.

export interface ToolCounts {
  readonly processes: number
  readonly bytesWritten: number
}

export interface CountedTools {
  /** A PATH in which they come first. */
  readonly path: string
  close(): ToolCounts
}

const IPTABLES = ['iptables', 'ip6tables'].flatMap(name => [
  name,
  `${name}-save`,
  `${name}-restore`,
  `${name}-nft-save`,
  `${name}-nft-restore`,
  `${name}-legacy-save`,
  `${name}-legacy-restore`,
])
const TOOLS = ['nft', ...IPTABLES]

export function countedTools(path: string): CountedTools {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bench-tools-'))
  const log = join(folder, 'log')
  writeFileSync(log, '')
  for (const tool of TOOLS) {
    writeFileSync(join(folder, tool), script(tool, log))
    chmodSync(join(folder, tool), 0o755)
  }
  return {
    path: `${folder}:${path}`,
    close() {
      const bytes = readFileSync(log, 'utf8').split('\n').filter(Boolean).map(Number)
      rmSync(folder, { recursive: true })
      return { processes: bytes.length, bytesWritten: bytes.reduce((sum, n) => sum + n, 0) }
    },
  }
}

function script(tool: string, log: string): string {
  const real = `/usr/sbin/${tool}`
  const counted = `f=$(mktemp); cat >"$f"; echo "$(wc -c <"$f")" >>${log}; ${real} "$@" <"$f"; s=$?; rm "$f"; exit $s`
  const takes = tool.endsWith('restore') ? 'true' : tool === 'nft' ? '[ "$1" = -f ]' : 'false'
  return `#!/bin/sh\nif ${takes}; then ${counted}; fi\necho 0 >>${log}\nexec ${real} "$@"\n`
}
