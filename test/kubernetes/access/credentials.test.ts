import { describe, expect, test } from 'vitest'
import { type CredentialsOptions, CredentialsProblem, credentialsFrom } from '#kubernetes/access/credentials.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { KUBEADM, kubeconfig, PaperFiles, PaperPlugin, PEM } from '../desk.ts'

const IN_POD = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }
const POD_FILES = '/var/run/secrets/kubernetes.io/serviceaccount'

function desk(files: Record<string, string>) {
  const paper = new PaperFiles(files)
  const kernel = new PaperPlugin(async () => ({ code: 127, stdout: '', stderr: '' }))
  return { files: paper, kernel, clock: new PaperClock(), env: {} }
}

function from(options: Partial<CredentialsOptions>, files: Record<string, string> = {}) {
  return credentialsFrom({ ...desk(files), ...options })
}

async function problemOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    error => error,
  )
  expect(error).toBeInstanceOf(CredentialsProblem)
  return error.message
}

describe('in a pod', () => {
  const files = { [`${POD_FILES}/token`]: 'one\n', [`${POD_FILES}/ca.crt`]: PEM }

  test('the service account says it all', async () => {
    const credentials = await from({ env: IN_POD }, files)
    expect(await credentials.access()).toEqual({
      origin: 'https://10.96.0.1',
      prefix: '',
      headers: { authorization: 'Bearer one' },
      tls: { ca: PEM, rejectUnauthorized: true },
    })
  })

  test('the API server may have an IPv6 address', async () => {
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }
    expect((await (await from({ env }, files)).access()).origin).toBe('https://[fd00::1]:6443')
  })

  test('a token that was rotated is seen by the next request', async () => {
    const paper = new PaperFiles(files)
    const credentials = await from({ env: IN_POD, files: paper })
    await credentials.access()
    paper.texts.set(`${POD_FILES}/token`, 'two')
    expect((await credentials.access()).headers).toEqual({ authorization: 'Bearer two' })
  })

  test('files that are not there yet are asked for again by the next request', async () => {
    const paper = new PaperFiles({ [`${POD_FILES}/ca.crt`]: PEM })
    const credentials = await from({ env: IN_POD, files: paper })
    expect(await problemOf(credentials.access())).toBe(
      `cannot read the service account's token, ${POD_FILES}/token: there is no such file`,
    )
    paper.texts.set(`${POD_FILES}/token`, 'one')
    expect((await credentials.access()).headers).toEqual({ authorization: 'Bearer one' })
  })

  test('the folder can be another one', async () => {
    const credentials = await from({ env: IN_POD, serviceAccount: '/sa' }, { '/sa/token': 'x', '/sa/ca.crt': PEM })
    expect((await credentials.access()).headers).toEqual({ authorization: 'Bearer x' })
  })

  test('outside a pod, and without flags, there is no way to know', async () => {
    expect(await problemOf(from({}))).toBe(
      'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not both set, so this is no pod: give --kubeconfig=FILE or --master=URL',
    )
    expect(await problemOf(from({ env: { KUBERNETES_SERVICE_HOST: 'a b', KUBERNETES_SERVICE_PORT: '1' } }))).toBe(
      'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT make no URL ("a b", "1"): give --kubeconfig=FILE or --master=URL',
    )
  })
})

describe('--master alone', () => {
  test('is enough, and nothing is said about who we are', async () => {
    const access = await (await from({ master: 'http://127.0.0.1:8080/', env: IN_POD })).access()
    expect(access).toEqual({
      origin: 'http://127.0.0.1:8080',
      prefix: '',
      headers: {},
      tls: { rejectUnauthorized: true },
    })
  })

  test('must be a URL', async () => {
    expect(await problemOf(from({ master: 'http://' }))).toBe(
      '--master is "http://": must be https://HOST:PORT or http://HOST:PORT',
    )
  })
})

describe('--kubeconfig', () => {
  test("kubeadm's for kube-proxy: a token file", async () => {
    const paper = new PaperFiles({ '/k': KUBEADM, '/var/run/secrets/ca.crt': PEM, '/var/run/secrets/token': 'a' })
    const credentials = await from({ kubeconfig: '/k', files: paper })
    expect(await credentials.access()).toMatchObject({
      origin: 'https://10.0.0.1:6443',
      headers: { authorization: 'Bearer a' },
      tls: { ca: PEM },
    })
    paper.texts.set('/var/run/secrets/token', 'b')
    expect((await credentials.access()).headers).toEqual({ authorization: 'Bearer b' })
  })

  test('a token beside a token file is for as long as the file cannot be read', async () => {
    const paper = new PaperFiles({ '/k': kubeconfig({ token: 'inline', tokenFile: '/t' }) })
    const credentials = await from({ kubeconfig: '/k', files: paper })
    expect((await credentials.access()).headers).toEqual({ authorization: 'Bearer inline' })
    paper.texts.set('/t', 'from the file'.replaceAll(' ', '-'))
    expect((await credentials.access()).headers).toEqual({ authorization: 'Bearer from-the-file' })
  })

  test('certificates that were rotated are seen by the next request', async () => {
    const user = { 'client-certificate': 'me.crt', 'client-key': 'me.key' }
    const paper = new PaperFiles({ '/k/k': kubeconfig(user), '/k/me.crt': `${PEM}1`, '/k/me.key': `${PEM}2` })
    const credentials = await from({ kubeconfig: '/k/k', files: paper })
    expect((await credentials.access()).tls).toEqual({ cert: `${PEM}1`, key: `${PEM}2`, rejectUnauthorized: true })
    paper.texts.set('/k/me.crt', `${PEM}3`)
    expect((await credentials.access()).tls.cert).toBe(`${PEM}3`)
  })

  test('a password, and as whom', async () => {
    const user = { username: 'u', password: 'p', as: 'jane', 'as-groups': ['g'] }
    const credentials = await from({ kubeconfig: '/k' }, { '/k': kubeconfig(user) })
    expect((await credentials.access()).headers).toEqual({
      authorization: 'Basic dTpw',
      'impersonate-user': 'jane',
      'impersonate-group': ['g'],
    })
  })

  test('nothing secret is read or sent where the server is http, but as whom to act', async () => {
    const user = { tokenFile: '/missing', as: 'jane' }
    const text = kubeconfig(user, { server: 'http://10.0.0.1:8080/api-prefix' })
    const access = await (await from({ kubeconfig: '/k' }, { '/k': text })).access()
    expect(access).toMatchObject({ origin: 'http://10.0.0.1:8080', prefix: '/api-prefix' })
    expect(access.headers).toEqual({ 'impersonate-user': 'jane' })
  })

  test('a file that is not there, or may not be read, is refused at once', async () => {
    expect(await problemOf(from({ kubeconfig: '/k' }))).toBe('cannot read the kubeconfig /k: there is no such file')
    const failing = (code: string) => ({ readText: () => Promise.reject(Object.assign(new Error('no'), { code })) })
    expect(await problemOf(from({ kubeconfig: '/k', files: failing('EACCES') }))).toBe(
      'cannot read the kubeconfig /k: permission denied',
    )
    expect(await problemOf(from({ kubeconfig: '/k', files: failing('EISDIR') }))).toBe(
      'cannot read the kubeconfig /k: it is a directory',
    )
    expect(await problemOf(from({ kubeconfig: '/k', files: failing('EIO') }))).toBe('cannot read the kubeconfig /k: no')
  })

  test.each([
    ['', 'is empty: must hold a token'],
    ['two\nlines', 'is not one line: must hold a token'],
  ])('a token file with %j is not a token, and is not shown', async (text, message) => {
    const credentials = await from({ kubeconfig: '/k' }, { '/k': kubeconfig({ tokenFile: '/t' }), '/t': text })
    expect(await problemOf(credentials.access())).toBe(`users[0].user.tokenFile of /k, /t, ${message}`)
  })

  test('a certificate authority that is no PEM document is named', async () => {
    const text = kubeconfig({}, { server: 'https://a', 'certificate-authority': 'ca' })
    const credentials = await from({ kubeconfig: '/k' }, { '/k': text, '/ca': 'half a fi' })
    expect(await problemOf(credentials.access())).toBe(
      'clusters[0].cluster.certificate-authority of /k, /ca, is not a PEM document',
    )
  })
})
