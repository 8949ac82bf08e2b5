import { describe, expect, test } from 'vitest'
import { type CredentialsOptions, CredentialsProblem, credentialsFrom } from '#kubernetes/access/credentials.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { execCredential, kubeconfig, PaperFiles, PaperPlugin, PEM } from '../desk.ts'

const V1 = 'client.authentication.k8s.io/v1'
const EXEC = { apiVersion: V1, command: 'login', args: ['--now'], env: [{ name: 'ROLE', value: 'proxy' }] }

async function withPlugin(plugin: PaperPlugin, more: Partial<CredentialsOptions> & { exec?: object } = {}) {
  const { exec = EXEC, ...options } = more
  const clock = new PaperClock(Date.parse('2030-01-01T00:00:00Z'))
  const cluster = { server: 'https://a', 'certificate-authority': 'ca' }
  const files = new PaperFiles({ '/k': kubeconfig({ exec }, cluster), '/ca': PEM })
  const ports = { files, kernel: plugin, clock, env: { HOME: '/home/me' } }
  const credentials = await credentialsFrom({ kubeconfig: '/k', ...ports, ...options })
  return { credentials, clock }
}

function tokens(): PaperPlugin {
  let count = 0
  return new PaperPlugin(async () => execCredential({ token: `t${++count}` }))
}

describe('a credential plugin', () => {
  test('is run as the kubeconfig says, and learns what it is asked for', async () => {
    const plugin = tokens()
    const { credentials } = await withPlugin(plugin, { pluginLimitMs: 7000 })
    expect((await credentials.access()).headers).toEqual({ authorization: 'Bearer t1' })
    expect(plugin.ran).toHaveLength(1)
    const { env, ...command } = plugin.ran[0]!
    expect(command).toEqual({ does: 'other', argv: ['login', '--now'], timeoutMs: 7000 })
    const { KUBERNETES_EXEC_INFO, ...rest } = env!
    expect(rest).toEqual({ HOME: '/home/me', ROLE: 'proxy' })
    expect(JSON.parse(KUBERNETES_EXEC_INFO!)).toEqual({
      kind: 'ExecCredential',
      apiVersion: V1,
      spec: { interactive: false },
    })
  })

  test('hears of the cluster if it wants to', async () => {
    const plugin = tokens()
    const { credentials } = await withPlugin(plugin, { exec: { ...EXEC, provideClusterInfo: true } })
    await credentials.access()
    expect(JSON.parse(plugin.ran[0]!.env!.KUBERNETES_EXEC_INFO!).spec.cluster).toEqual({
      server: 'https://a',
      'certificate-authority-data': Buffer.from(PEM).toString('base64'),
    })
  })

  test('may give a certificate', async () => {
    const status = { clientCertificateData: `${PEM}c`, clientKeyData: `${PEM}k` }
    const { credentials } = await withPlugin(new PaperPlugin(async () => execCredential(status)))
    expect(await credentials.access()).toMatchObject({ headers: {}, tls: { ca: PEM, cert: `${PEM}c`, key: `${PEM}k` } })
  })

  test('runs once for all who ask at the same time, and once only', async () => {
    const plugin = tokens()
    const { credentials } = await withPlugin(plugin)
    const all = await Promise.all([credentials.access(), credentials.access(), credentials.access()])
    expect(all.map(({ headers }) => headers.authorization)).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t1'])
    await credentials.access()
    expect(plugin.ran).toHaveLength(1)
  })

  test('runs again when what it gave has expired', async () => {
    let token = 'a'
    const plugin = new PaperPlugin(async () => execCredential({ token, expirationTimestamp: '2030-01-01T01:00:00Z' }))
    const { credentials, clock } = await withPlugin(plugin)
    await credentials.access()
    token = 'b'
    await clock.advance(3_599_999)
    expect((await credentials.access()).headers).toEqual({ authorization: 'Bearer a' })
    await clock.advance(1)
    expect((await credentials.access()).headers).toEqual({ authorization: 'Bearer b' })
  })

  test('runs again after a 401, once for all who were refused the same thing', async () => {
    const plugin = tokens()
    const { credentials } = await withPlugin(plugin)
    const [one, two] = await Promise.all([credentials.access(), credentials.access()])
    credentials.rejected(one)
    expect((await credentials.access()).headers).toEqual({ authorization: 'Bearer t2' })
    credentials.rejected(two)
    expect((await credentials.access()).headers).toEqual({ authorization: 'Bearer t2' })
    expect(plugin.ran).toHaveLength(2)
  })

  test('that failed is run again by the next request', async () => {
    const plugin = new PaperPlugin(async () => ({ code: 1, stdout: '', stderr: 'no session\nat line 7' }))
    const { credentials } = await withPlugin(plugin)
    const first = Promise.allSettled([credentials.access(), credentials.access()])
    expect((await first).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(plugin.ran).toHaveLength(1)
    plugin.answer = async () => execCredential({ token: 't' })
    expect((await credentials.access()).headers).toEqual({ authorization: 'Bearer t' })
  })

  const SECRET = 'sekret-token-value'
  test.each([
    [{ code: 1, stdout: '', stderr: ' no session\nat line 7' }, 'exited with 1: no session'],
    [{ code: 1, stdout: SECRET, stderr: '' }, 'exited with 1: it said nothing'],
    [{ code: 127, stdout: '', stderr: 'not found' }, 'is not there'],
    [{ code: 124, stdout: '', stderr: '' }, 'gave no answer within 30 s'],
    [{ code: 0, stdout: SECRET, stderr: '' }, 'did not print an ExecCredential with a status'],
    [execCredential({ expirationTimestamp: SECRET }), 'gave neither a token nor a certificate with its key'],
    [
      execCredential({ token: SECRET }, 'client.authentication.k8s.io/v1beta1'),
      `answered in "client.authentication.k8s.io/v1beta1": must be ${V1}`,
    ],
  ])('%#: says in one line what went wrong, and no secret', async (outcome, message) => {
    const { credentials } = await withPlugin(new PaperPlugin(async () => outcome))
    await expect(credentials.access()).rejects.toThrow(
      new CredentialsProblem(`credential plugin login (users[0].user.exec of /k) ${message}`),
    )
  })

  test('that is not installed: the kubeconfig says where to get it', async () => {
    const plugin = new PaperPlugin(async () => ({ code: 127, stdout: '', stderr: '' }))
    const exec = { ...EXEC, installHint: 'Get it\n from the shelf.\n' }
    const { credentials } = await withPlugin(plugin, { exec })
    await expect(credentials.access()).rejects.toThrow(/is not there: Get it from the shelf\.$/)
  })

  test('that hangs is ended, with a real program', async () => {
    const exec = { apiVersion: V1, command: 'sleep', args: ['60'] }
    const { credentials } = await withPlugin(tokens(), {
      exec,
      kernel: hostKernel({ graceMs: 50 }),
      pluginLimitMs: 100,
    })
    await expect(credentials.access()).rejects.toThrow(/credential plugin sleep .* gave no answer within 0\.1 s/)
  })

  test('that works, with a real program', async () => {
    const answer = `{"kind":"ExecCredential","apiVersion":"${V1}","status":{"token":"'"$ROLE"'"}}`
    const exec = { apiVersion: V1, command: 'sh', args: ['-c', `echo '${answer}'`], env: EXEC.env }
    const { credentials } = await withPlugin(tokens(), { exec, kernel: hostKernel(), env: process.env })
    expect((await credentials.access()).headers).toEqual({ authorization: 'Bearer proxy' })
  })
})
