import { spawnSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'

// What the figures were measured on.

export function machine(): Readonly<Record<string, string | number>> {
  return {
    cpus: cpus().length,
    cpu: cpus()[0]?.model ?? '',
    memoryMiB: Math.round(totalmem() / 1024 / 1024),
    linux: release(),
    node: process.version,
    iptables: versionOf('iptables'),
    nft: versionOf('nft'),
  }
}

function versionOf(program: string): string {
  return spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? ''
}
