import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Family } from '#values/address.ts'

// A file with a cluster → the script that nftables mode gives to nft for it.

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url))

export async function render(path: string, family: Family): Promise<string> {
  const argv = [MAIN, 'render', '-f', path, '--proxy-mode=nftables', `--family=${family}`]
  return execFileSync(process.execPath, [...argv, '--masquerade-all', '--cluster-cidr=10.244.0.0/16,fd00:244::/32'], {
    encoding: 'utf8',
  })
}
