import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import type { Outcome } from '#system/ports.ts'
import { whyNot } from './ground.ts'
import { type Namespace, newNamespace } from './namespace.ts'

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'nft'])
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const SEED = fileURLToPath(new URL('../../fixtures/clusters/seed.yaml', import.meta.url))

describe.skipIf(why !== undefined)(`verify and explain on a real node${why ? ` (skipped: ${why})` : ''}`, () => {
  let node: Namespace
  beforeAll(async () => {
    node = await newNamespace('sy-verify')
    for (const [family, restore] of [
      ['ipv4', 'iptables-restore'],
      ['ipv6', 'ip6tables-restore'],
    ] as const) {
      const { stdout } = await verb('render', '-f', SEED, `--family=${family}`)
      const { code, stderr } = await node.kernel.run(anyCommand([restore, '--noflush'], { input: stdout }))
      expect([code, stderr]).toEqual([0, ''])
    }
  })
  afterAll(() => node?.end())

  function verb(...argv: readonly string[]): Promise<Outcome> {
    return node.kernel.run(anyCommand([process.execPath, MAIN, ...argv, '--cluster-cidr=10.244.0.0/16']))
  }

  test('what render prints is what verify wants', async () => {
    expect(await verb('verify', '-f', SEED)).toMatchObject({
      code: 0,
      stdout: 'This node holds exactly what it should.\n',
    })
  })

  test('explain reads the rules that really stand', async () => {
    const { stdout } = await verb('explain', '10.244.1.9', '10.103.132.104:3306')
    expect(stdout).toContain('⇒ arrives at 10.244.1.2:3306')
  })

  test('verify names what differs, and exits with 1', async () => {
    await node.kernel.run(anyCommand(['iptables', '-t', 'nat', '-F', 'KUBE-SERVICES']))
    const { code, stdout } = await verb('verify', '-f', SEED)
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /^differs IPv4 nat KUBE-SERVICES.*\n {2}found: {2}\(nothing\)\n {2}wanted: -A KUBE-SERVICES [\s\S]*\n {2}means: {2}connections to .*\n1 difference\.\n$/,
    )
    expect(stdout).not.toMatch(/^(?:missing|extra)/m)
    const explained = await verb('explain', '10.244.1.9', '10.103.132.104:3306')
    expect(explained.stdout).toContain('is no concern of ours')
  })

  test('verify mends it where that is asked, and finds nothing then', async () => {
    const { code, stdout } = await verb('verify', '-f', SEED, '--repair')
    expect(code).toBe(0)
    expect(stdout).toMatch(/\n1 difference, 1 mended\.\n$/)
    expect(await verb('verify', '-f', SEED)).toMatchObject({ code: 0 })
  })
})
