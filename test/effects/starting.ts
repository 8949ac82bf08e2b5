import { expect } from 'vitest'
import { HEADER, warnings } from '../config/parsing.ts'
import { ask, freePort } from '../support/local-ports.ts'
import type { Effects } from './effect.ts'
import { Program } from './program.ts'
import { served } from './served.ts'

// Settings that say what is done at all: the program is run with them.

export const STARTING: Effects = {
  help: () =>
    on(async program => {
      const { code, stdout } = await program.run('--help')
      expect([code, program.asked]).toEqual([0, ''])
      expect(stdout).toMatch(/--cluster-cidr/)
    }),
  version: async () => {
    await on(async program => {
      expect(await program.run('--version')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^Switchyard v\d/),
      })
      expect((await program.run('--version=raw')).stdout).toContain('"openssl":')
      expect(program.asked).toBe('')
    })
    await served(async ({ start, server }) => {
      const port = await freePort()
      const { stop } = start(`--master=${server.url}`, '--version=v1.36.7', `--metrics-bind-address=127.0.0.1:${port}`)
      const page = async (path: string): Promise<string> => (await ask(port, path).catch(() => ({ body: '' }))).body
      await expect.poll(() => page('/statusz'), PATIENCE).toContain('Binary version:  v1.36.7\n')
      expect(await page('/metrics')).toContain('version="v1.36.7"')
      await stop()
    })
  },
  'write-config-to': () =>
    on(async program => {
      const { code } = await program.run(
        `--write-config-to=${program.path('written')}`,
        '--oom-score-adj=-7',
        '--cleanup',
      )
      expect([code, program.asked]).toEqual([0, ''])
      expect(program.read('written')).toMatch(/^oomScoreAdj: -7$/m)
    }),
  config: () =>
    on(async program => {
      const file = program.file('config.conf', `${HEADER}oomScoreAdj: -8\n`)
      await program.run(`--config=${file}`, `--write-config-to=${program.path('written')}`)
      expect(program.read('written')).toMatch(/^oomScoreAdj: -8$/m)
    }),
  cleanup: () =>
    on(async program => {
      program.says('iptables-nft-save', '*nat\n:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]\nCOMMIT\n')
      await program.run('--cleanup')
      expect(program.asked).toMatch(/^iptables-nft-restore [\s\S]*?^-X KUBE-SVC-AAAAAAAAAAAAAAAA$/m)
    }),
  'init-only': () =>
    on(async program => {
      const { code, stderr } = await program.run('--init-only')
      expect([code, stderr.includes('System initialized and --init-only specified')]).toEqual([0, true])
      expect(program.asked).toContain('tee /proc/sys/net/netfilter/nf_conntrack_max < ')
      expect(program.asked).not.toContain('nft-restore')
    }),
  'feature-gates': async () => {
    expect(await warnings({ argv: ['--feature-gates=ServiceTopology=true'] })).toEqual([
      'feature gate ServiceTopology=true has no effect: in Switchyard it is always off',
    ])
    expect(await warnings({ argv: ['--feature-gates=ServiceTopology=false'] })).toEqual([])
  },
  'oom-score-adj': () =>
    served(async ({ program, start, server }) => {
      const { pid, stop } = start(`--master=${server.url}`, '--oom-score-adj=-321')
      await expect.poll(() => program.asked, PATIENCE).toContain(`tee /proc/${pid}/oom_score_adj < -321`)
      await stop()
    }),
  master: () =>
    served(async ({ start, server }) => {
      const { stop } = start(`--master=${server.url}`)
      await expect.poll(() => server.requests.length, PATIENCE).toBeGreaterThan(2)
      await stop()
    }),
  kubeconfig: () =>
    served(async ({ program, start, server }) => {
      const { stop } = start(`--kubeconfig=${program.file('kubeconfig', kubeconfig(server.url))}`)
      await expect.poll(() => server.requests.length, PATIENCE).toBeGreaterThan(2)
      await stop()
    }),
  'hostname-override': () =>
    served(async ({ start, server }) => {
      const { stop } = start(`--master=${server.url}`, '--hostname-override=Another-Node')
      const nodes = () => server.requests.filter(({ path }) => path === '/api/v1/nodes')
      await expect.poll(() => nodes().length, PATIENCE).toBeGreaterThan(0)
      for (const { query } of nodes()) expect(query.fieldSelector).toBe('metadata.name=another-node')
      await stop()
    }),
}

const PATIENCE = { timeout: 60_000 }

async function on(act: (program: Program) => Promise<void>): Promise<void> {
  const program = new Program()
  await act(program).finally(() => program.remove())
}

function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    clusters: [{ name: 'here', cluster: { server } }],
    contexts: [{ name: 'here', context: { cluster: 'here', user: '' } }],
  })
}
