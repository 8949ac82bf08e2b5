import { describe, expect, test } from 'vitest'
import { CredentialsProblem } from '#kubernetes/access/credentials.ts'
import { loginFromKubeconfig } from '#kubernetes/access/kubeconfig.ts'
import { kubeconfig } from '../desk.ts'

const FILE = '/etc/kubernetes/proxy.conf'

function problem(text: string): string {
  try {
    loginFromKubeconfig({ file: FILE, text })
  } catch (error) {
    expect(error).toBeInstanceOf(CredentialsProblem)
    expect((error as Error).message).not.toContain('\n')
    return (error as Error).message
  }
  throw new Error('nothing was wrong')
}

describe('a kubeconfig that cannot work is refused in one line', () => {
  const context = '{name: x, context: {cluster: a, user: u}}'
  const whole = `clusters: [{name: a, cluster: {server: "https://a"}}]\nusers: [{name: u, user: {}}]\n`

  test.each([
    ['', `${FILE} is empty: must be a kubeconfig`],
    ['just words', `${FILE} holds a text: must be a kubeconfig, with clusters, users and contexts`],
    ['[1]', `${FILE} holds a list: must be a kubeconfig, with clusters, users and contexts`],
    ['kind: Pod', `${FILE}: kind is "Pod": must be "Config"`],
    ['clusters: []', `${FILE}: clusters is empty: must have at least one cluster with a server`],
    ['clusters: 5', `${FILE}: clusters is 5: must be a list`],
    ['clusters: [5]', `${FILE}: clusters[0] has no name: must be "name: …" beside "cluster: …"`],
    [`clusters: [{name: a, cluster: 5}]`, `${FILE}: clusters[0].cluster is 5: must be a mapping`],
    [whole, `${FILE}: current-context is not set: must be one of contexts (none)`],
    [
      `${whole}contexts: [${context}]\ncurrent-context: y`,
      `${FILE}: current-context is "y": must be one of contexts (x)`,
    ],
    [
      `${whole}contexts: [{name: x, context: {cluster: b}}]\ncurrent-context: x`,
      `${FILE}: contexts[0].context.cluster is "b": must be one of clusters (a)`,
    ],
    [
      `${whole}contexts: [{name: x, context: {cluster: a, user: v}}]\ncurrent-context: x`,
      `${FILE}: contexts[0].context.user is "v": must be one of users (u)`,
    ],
    [`${whole}contexts: [{name: x}]\ncurrent-context: x`, `${FILE}: contexts[0].context.cluster is not set`],
  ])('%#', (text, message) => {
    expect(problem(text)).toBe(message)
  })

  test('with the line and the column where it is not YAML', () => {
    expect(problem('clusters:\n  - name: a\n cluster: b\n')).toMatch(
      /^\/etc\/kubernetes\/proxy\.conf is not YAML at line 3, column 1: \S/,
    )
    expect(problem('a: 1\n\tb: 2')).toMatch(/is not YAML at line 2, column 1: \S/)
    expect(problem('a: 1\n---\nb: 2')).toMatch(/is not YAML.*: \S/)
  })

  test('whatever its aliases expand to', () => {
    const rows = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`)
    expect(problem(['a0: &a0 [x]', ...rows].join('\n'))).toMatch(/is not usable YAML: /)
  })

  test.each([
    [{}, {}, 'clusters[0].cluster.server is not set: must be https://HOST:PORT or http://HOST:PORT'],
    [
      {},
      { server: 'ftp://a' },
      'clusters[0].cluster.server is "ftp://a": must be https://HOST:PORT or http://HOST:PORT',
    ],
    [
      {},
      { server: 'https://a:99999' },
      'clusters[0].cluster.server is "https://a:99999": must be https://HOST:PORT or http://HOST:PORT',
    ],
    [
      {},
      { server: 'https://a', 'insecure-skip-tls-verify': 'yes' },
      'clusters[0].cluster.insecure-skip-tls-verify is "yes": must be true or false',
    ],
    [{}, { server: ['https://a'] }, 'clusters[0].cluster.server is a list: must be text'],
    [
      {},
      { server: 'https://a', 'proxy-url': 'proxy:3128' },
      'clusters[0].cluster.proxy-url is "proxy:3128": must be http://…, https://… or socks5://HOST:PORT',
    ],
    [{ token: 'two\nlines' }, undefined, 'users[0].user.token is not one line of visible characters'],
    [{ token: 5 }, undefined, 'users[0].user.token is a number: must be text'],
    [{ username: 'u', password: 1234 }, undefined, 'users[0].user.password is a number: must be text'],
    [{ 'client-key-data': [1] }, undefined, 'users[0].user.client-key-data is a list: must be text'],
    [
      { 'client-key': '/k' },
      undefined,
      'users[0].user has a client-key but no client-certificate: must have both or neither',
    ],
    [
      { 'client-certificate-data': 'aGVsbG8=', 'client-key-data': 'aGVsbG8=' },
      undefined,
      'users[0].user.client-certificate-data is not a PEM document in base64',
    ],
    [{ exec: 'login' }, undefined, 'users[0].user.exec is "login": must be a mapping'],
    [{ exec: {} }, undefined, 'users[0].user.exec.command is not set: must be a program'],
    [
      { exec: { command: 'a', apiVersion: 'client.authentication.k8s.io/v1alpha1' } },
      undefined,
      'users[0].user.exec.apiVersion is "client.authentication.k8s.io/v1alpha1": must be client.authentication.k8s.io/v1',
    ],
    [
      { exec: { command: 'a', apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'Always' } },
      undefined,
      'users[0].user.exec.interactiveMode is "Always": must be Never, there is no terminal to ask on',
    ],
    [
      { 'auth-provider': { name: 'oidc', config: {} } },
      undefined,
      'users[0].user.auth-provider is "oidc": must be an exec plugin or a tokenFile instead',
    ],
    [
      { 'as-groups': ['a'] },
      undefined,
      'users[0].user has as-groups, as-uid or as-user-extra but no "as": must name the user, too',
    ],
  ])('user %j, cluster %j', (user, cluster, message) => {
    expect(problem(kubeconfig(user, cluster))).toBe(`${FILE}: ${message}`)
  })
})
