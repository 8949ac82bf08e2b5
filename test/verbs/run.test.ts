import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { SEED_NODE, SEED_OBJECTS } from '#lab/network/seed.ts'
import { Program } from '../effects/program.ts'
import { ask, freePort } from '../support/local-ports.ts'

// What happens to the agent while it runs, on a machine of scripts: signals, and another configuration.

let program: Program
let server: ApiServer
let healthz: number

beforeEach(async () => {
  program = new Program()
  server = await startApiServer()
  for (const object of SEED_OBJECTS) server.store.put(object)
  healthz = await freePort()
})

afterEach(async () => {
  await server.close()
  program.remove()
})

function start(...flags: readonly string[]) {
  const at = [`--healthz-bind-address=127.0.0.1:${healthz}`, '--metrics-bind-address=']
  return program.start(`--master=${server.url}`, `--hostname-override=${SEED_NODE}`, ...at, ...flags)
}

const asked = (words: string): number => program.asked.split(words).length - 1
const soon = { timeout: 60_000, interval: 10 }
const healthy = async (): Promise<number> => (await ask(healthz, '/healthz').catch(() => ({ status: 0 }))).status

/** Each of its commands takes until `finish` is called, and a moment more, in which a signal that was sent before arrives. */
function holds(tool: string): { readonly finish: () => void } {
  const finished = program.path('finished')
  const wait = `until [ -e '${finished}' ]; do /bin/sleep 0.02; done; /bin/sleep 0.3`
  program.does(tool, `${wait}\necho done >> '${program.path('asked')}'\n`)
  return { finish: () => void program.file('finished', '') }
}

describe('SIGTERM', () => {
  test('while it is still coming: the command that runs is finished, and it ends well', async () => {
    const { finish } = holds('iptables-nft-save')
    const { stop, ended } = start()
    await expect.poll(() => asked('iptables-nft-save'), soon).toBe(1)
    stop()
    finish()
    expect(await ended).toMatchObject({ code: 0 })
    expect([asked('done'), asked('restore')]).toEqual([asked('iptables-nft-save'), 0])
  })

  test('while it writes rules: the write is finished, servers are closed, and it ends well', async () => {
    const { finish } = holds('iptables-nft-restore')
    const { stop, ended } = start()
    await expect.poll(() => asked('iptables-nft-restore'), soon).toBe(1)
    stop()
    finish()
    expect(await ended).toMatchObject({ code: 0 })
    expect([asked('done'), await healthy()]).toEqual([1, 0])
  })

  test('while something takes for ever: it ends all the same, in time for a kubelet that waits for 30 seconds', async () => {
    program.does('iptables-nft-restore', 'exec /bin/sleep 100\n')
    const { stop, ended } = start()
    await expect.poll(() => asked('iptables-nft-restore'), soon).toBe(1)
    const signalled = performance.now()
    stop()
    expect(await ended).toMatchObject({ code: 0 })
    expect(performance.now() - signalled).toBeLessThan(30_000)
  })
})

test('SIGHUP: the kernel is looked at afresh', async () => {
  const { pid, stop, ended } = start('--iptables-sync-period=1h')
  await expect.poll(healthy, soon).toBe(200)
  const looks = asked('iptables-nft-save  <')
  process.kill(pid, 'SIGHUP')
  await expect.poll(() => asked('iptables-nft-save  <'), soon).toBeGreaterThan(looks)
  stop()
  expect(await ended).toMatchObject({ code: 0 })
})

describe('the configuration file', () => {
  const HEADER = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n'

  test('that changes ends the agent, for its DaemonSet to start it with the new one', async () => {
    const at = `healthzBindAddress: 127.0.0.1:${healthz}\nhostnameOverride: ${SEED_NODE}\n`
    const file = program.file('proxy.conf', `${HEADER}${at}`)
    const { ended } = program.start(`--config=${file}`, `--master=${server.url}`)
    await expect.poll(healthy, soon).toBe(200)
    program.file('proxy.conf', `${HEADER}${at}clusterCIDR: 10.244.0.0/16\n`)
    const { code, stderr } = await ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/"command failed" err="content of the proxy server's configuration file was updated/)
  })

  test('that is wrong is one line with its place, and nothing is done', async () => {
    const file = program.file('proxy.conf', `${HEADER}mode: fast\n`)
    const { code, stderr } = await program.run(`--config=${file}`)
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^Error: .*proxy\.conf: mode \(--proxy-mode\), line 3, column 1: invalid value "fast": must be /,
    )
    expect(program.asked).toBe('')
  })
})

test('without --kubeconfig and --master it looks for its pod’s credentials, and says that there are none', async () => {
  const { code, stderr } = await program.run('--healthz-bind-address=', '--metrics-bind-address=')
  expect(code).toBe(1)
  expect(stderr).toMatch(/Neither kubeconfig file nor master URL was specified, falling back to in-cluster config/)
  expect(stderr).toMatch(/"command failed" err=".*KUBERNETES_SERVICE_HOST/)
})

test('--init-only prepares the node, in the words of kube-proxy, and ends', async () => {
  const { code, stderr } = await program.run('--init-only')
  expect(code).toBe(0)
  expect(stderr).toMatch(/"System initialized and --init-only specified"/)
  expect(asked('restore')).toBe(0)
})
