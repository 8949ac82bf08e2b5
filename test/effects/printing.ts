import { expect } from 'vitest'
import type { Effects } from './effect.ts'
import { Program } from './program.ts'

// Flags that single verbs have of their own.

const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: a}
spec: {clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9, "fd10:96::9"], ipFamilies: [IPv4, IPv6], ports: [{port: 81}]}
`

export const PRINTING: Effects = {
  filename: () => rendered([], stdout => expect(stdout).toContain('-d 10.96.0.9/32 ')),
  family: () =>
    rendered(['--family=ipv6'], stdout => {
      expect(stdout).toContain('-d fd10:96::9/128 ')
      expect(stdout).not.toContain('10.96.0.9')
    }),
  as: () =>
    rendered(['--as=script'], stdout => {
      expect(stdout).toMatch(/^#!\/bin\/sh\nset -e\niptables-restore [\s\S]*-d 10\.96\.0\.9\/32 /)
    }),
}

async function rendered(argv: readonly string[], check: (stdout: string) => void): Promise<void> {
  const program = new Program()
  try {
    const { code, stdout } = await program.run('render', `--filename=${program.file('a.yaml', SERVICE)}`, ...argv)
    expect(code).toBe(0)
    check(stdout)
  } finally {
    program.remove()
  }
}
