import { describe, expect, test } from 'vitest'
import { loginFromKubeconfig } from '#kubernetes/access/kubeconfig.ts'
import { KUBEADM, kubeconfig, PEM } from '../desk.ts'

const FILE = '/etc/kubernetes/proxy.conf'

function login(text: string, master?: string) {
  return loginFromKubeconfig({ file: FILE, text, ...(master === undefined ? {} : { master }) })
}

describe('a kubeconfig says how to log in', () => {
  test("kubeadm's, with its tokenFile", () => {
    expect(login(KUBEADM)).toEqual({
      server: { origin: 'https://10.0.0.1:6443', prefix: '', secure: 'tls' },
      ca: {
        from: 'file',
        path: '/var/run/secrets/ca.crt',
        named: `clusters[0].cluster.certificate-authority of ${FILE}`,
      },
      verify: 'certificate',
      identity: {
        by: 'token-file',
        file: { from: 'file', path: '/var/run/secrets/token', named: `users[0].user.tokenFile of ${FILE}` },
      },
      impersonation: {},
    })
  })

  test('paths are relative to its own folder', () => {
    const user = { 'client-certificate': 'pki/me.crt', 'client-key': '../me.key' }
    expect(login(kubeconfig(user))).toMatchObject({
      cert: { path: '/etc/kubernetes/pki/me.crt' },
      key: { path: '/etc/me.key' },
    })
  })

  test('inline text goes before a file, as in client-go', () => {
    const data = Buffer.from(PEM).toString('base64')
    const cluster = {
      server: 'https://a',
      'certificate-authority': '/ca.crt',
      'certificate-authority-data': data,
    }
    expect(login(kubeconfig({}, cluster)).ca).toEqual({ from: 'text', text: PEM })
  })

  test('only the entries of the current context are looked at', () => {
    const text = `
clusters: [{name: a, cluster: {server: "https://a"}}, {name: b, cluster: {server: 7}}]
users: [{name: u, user: {token: t}}, {name: v, user: {exec: nonsense}}]
contexts: [{name: good, context: {cluster: a, user: u}}, {name: bad, context: {cluster: b, user: v}}]
current-context: good
`
    expect(login(text)).toMatchObject({ server: { origin: 'https://a' }, identity: { by: 'token', token: 't' } })
  })

  test('who one is: anonymous, a token, a password', () => {
    expect(login(kubeconfig({})).identity).toEqual({ by: 'nothing' })
    expect(login(kubeconfig({ token: 't' })).identity).toEqual({ by: 'token', token: 't' })
    expect(login(kubeconfig({ username: 'u', password: 'p' })).identity).toEqual({
      by: 'password',
      username: 'u',
      password: 'p',
    })
  })

  test('a plugin with arguments, variables, and what it wants to know of the cluster', () => {
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1beta1',
      command: './bin/login',
      args: ['--region', 'eu'],
      env: [{ name: 'PROFILE', value: 'prod' }],
      installHint: 'get it from the shelf',
      provideClusterInfo: true,
      interactiveMode: 'IfAvailable',
    }
    const extension = { name: 'client.authentication.k8s.io/exec', extension: { audience: 'us' } }
    const cluster = { server: 'https://a', 'tls-server-name': 'b', extensions: [extension] }
    expect(login(kubeconfig({ exec }, cluster)).identity).toEqual({
      by: 'exec',
      plugin: {
        named: `users[0].user.exec of ${FILE}`,
        argv: ['/etc/kubernetes/bin/login', '--region', 'eu'],
        env: { PROFILE: 'prod' },
        apiVersion: exec.apiVersion,
        installHint: exec.installHint,
        cluster: { server: 'https://a', 'tls-server-name': 'b', config: { audience: 'us' } },
      },
    })
  })

  test('as whom', () => {
    const user = {
      token: 't',
      as: 'jane',
      'as-uid': '7',
      'as-groups': ['a', 'b'],
      'as-user-extra': { 'Scopes/x': ['s'] },
    }
    expect(login(kubeconfig(user)).impersonation).toEqual({
      'impersonate-user': 'jane',
      'impersonate-uid': '7',
      'impersonate-group': ['a', 'b'],
      'impersonate-extra-scopes%2Fx': ['s'],
    })
  })

  test('TLS: another name in the certificate, no check at all, through a proxy', () => {
    const cluster = {
      server: 'https://a/k8s/clusters/c-1/',
      'tls-server-name': 'kubernetes',
      'insecure-skip-tls-verify': true,
      'proxy-url': 'http://proxy:3128',
    }
    expect(login(kubeconfig({}, cluster))).toMatchObject({
      server: { origin: 'https://a', prefix: '/k8s/clusters/c-1' },
      servername: 'kubernetes',
      verify: 'nothing',
      proxy: 'http://proxy:3128',
    })
  })
})

describe('--master goes before the server of the kubeconfig', () => {
  test('and the name in the certificate goes with the server', () => {
    const text = kubeconfig({ token: 't' }, { server: 'https://a', 'tls-server-name': 'b' })
    expect(login(text, 'https://c:6443')).toMatchObject({ server: { origin: 'https://c:6443' } })
    expect(login(text, 'https://c:6443')).not.toHaveProperty('servername')
  })

  test('even where the kubeconfig names none', () => {
    expect(login(kubeconfig({}, {}), 'https://c').server.origin).toBe('https://c')
  })

  test('a bare host is https where there is a certificate authority, http otherwise', () => {
    expect(login(kubeconfig({}, { 'certificate-authority': '/ca' }), 'c:6443').server.origin).toBe('https://c:6443')
    expect(login(kubeconfig({}, {}), 'c:8080').server).toEqual({
      origin: 'http://c:8080',
      prefix: '',
      secure: 'plain',
    })
  })
})
