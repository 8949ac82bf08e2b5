import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import { cannotRun, type Namespace, newNamespace } from './namespace.ts'

// The program as an init container starts it: in a network namespace of its own, where some of it may not be done.

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const CONNTRACK = '/proc/sys/net/netfilter/nf_conntrack'
const DONE = 'This node is prepared: with the same settings, CAP_NET_ADMIN is enough to run.'
const why = cannotRun('iptables', 'ip6tables')

const ROUTE_LOCALNET = '/proc/sys/net/ipv4/conf/all/route_localnet'

describe.skipIf(why !== undefined)(`setup${why ? ` (skipped: ${why})` : ''}`, () => {
  let namespace: Namespace
  beforeEach(async () => {
    namespace = await newNamespace('sy-setup')
    // A new namespace starts with the host's own value, and a node has 1 there once it has run in iptables mode.
    await must(namespace.kernel, anyCommand(['sh', '-c', `echo 0 > ${ROUTE_LOCALNET}`]))
  })
  afterEach(() => namespace.end())

  const numberIn = async (path: string): Promise<number> =>
    Number((await must(namespace.kernel, anyCommand(['cat', path]))).stdout)

  function program(...words: readonly string[]) {
    const argv = ['netns', 'exec', namespace.name, process.execPath, MAIN, ...words]
    const { status, stdout, stderr } = spawnSync('ip', argv, { encoding: 'utf8' })
    return { status, lines: [...stdout.split('\n'), ...stderr.split('\n')] }
  }

  test.each([[['setup']], [['--init-only']], [['run', '--init-only']]])(
    '%j sets what it may and says what it may not',
    async words => {
      const { status, lines } = program(...words, '--conntrack-udp-timeout=33s', '--conntrack-min=200001')
      expect(status).toBe(0)
      expect(await numberIn(`${CONNTRACK}_udp_timeout`)).toBe(33)
      expect(await numberIn(`${CONNTRACK}_tcp_timeout_established`)).toBe(86_400)
      expect(await numberIn(ROUTE_LOCALNET)).toBe(1)
      expect(await numberIn(`${CONNTRACK}_max`)).not.toBe(200_001)
      expect(lines.filter(line => /^E/.test(line))).toEqual([])
      const warnings = lines.filter(line => /^W/.test(line))
      expect(warnings).toHaveLength(1)
      expect(warnings[0]).toContain("only root in the host's own network namespace may write them")
      expect(warnings[0]).toContain('nf_conntrack_max')
      const end = words[0] === 'setup' ? DONE : '"System initialized and --init-only specified"'
      expect(lines.some(line => line.endsWith(end))).toBe(true)
    },
  )

  test('a second time finds everything done', () => {
    program('setup')
    const { status, lines } = program('setup', '--conntrack-max-per-core=0')
    expect(status).toBe(0)
    expect(lines.filter(Boolean)).toEqual([DONE])
  })

  test('leaves route_localnet alone where node ports on localhost are not wanted', async () => {
    expect(program('setup', '--iptables-localhost-nodeports=false').status).toBe(0)
    expect(await numberIn(ROUTE_LOCALNET)).toBe(0)
  })
})
