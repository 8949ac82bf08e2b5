import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chosenContext } from '#kubernetes/operator/kube-config.ts'

// Kubeconfig files as kubectl reads them.

const TOKENS = `apiVersion: v1
kind: Config
current-context: one
clusters:
- {name: a, cluster: {server: "https://192.0.2.1:6443/prefix", insecure-skip-tls-verify: true, tls-server-name: api}}
users:
- {name: u, user: {token: secret-1, as: jane}}
- {name: p, user: {username: me, password: word}}
contexts:
- {name: one, context: {cluster: a, user: u, namespace: shop}}
- {name: two, context: {cluster: a, user: p}}
- {name: lost, context: {cluster: gone, user: u}}
`
const MORE = `apiVersion: v1
kind: Config
current-context: three
clusters: [{name: b, cluster: {server: "https://192.0.2.2", proxy-url: "http://proxy:3128"}}]
users: [{name: u, user: {token: another}}]
contexts: [{name: three, context: {cluster: b, user: u}}, {name: one, context: {cluster: b, user: u}}]
`

const file = (text: string, path = '/etc/k/config') => ({ path, text })

describe('a kubeconfig', () => {
  test('leads to the server of its current context, with its token and namespace', async () => {
    const { context, namespace, credentials } = chosenContext({ files: [file(TOKENS)] })
    expect([context, namespace]).toEqual(['one', 'shop'])
    expect(await credentials.access()).toMatchObject({
      origin: 'https://192.0.2.1:6443',
      prefix: '/prefix',
      headers: { Authorization: 'Bearer secret-1', 'Impersonate-User': 'jane' },
      tls: { rejectUnauthorized: false, servername: 'api' },
    })
  })

  test('has other contexts, which --context names', async () => {
    const { namespace, credentials } = chosenContext({ files: [file(TOKENS)], context: 'two' })
    expect(namespace).toBe('default')
    const { headers } = await credentials.access()
    expect(headers.authorization).toBe(`Basic ${Buffer.from('me:word').toString('base64')}`)
  })

  test('may be several files: of two entries of one name the first counts, and so does the first current context', async () => {
    const files = [file(TOKENS), file(MORE, '/etc/k/more')] as const
    expect(chosenContext({ files }).context).toBe('one')
    const three = await chosenContext({ files, context: 'three' }).credentials.access()
    expect(three).toMatchObject({
      origin: 'https://192.0.2.2',
      proxy: 'http://proxy:3128',
      headers: { Authorization: 'Bearer secret-1' },
    })
  })

  test.each([
    ['four', '--context: "four" is no context of /etc/k/config: it has one, two, lost'],
    ['lost', '/etc/k/config: context "lost": cluster "gone" is not among clusters'],
  ])('has no context %s, which is said in one line', (context, line) => {
    expect(() => chosenContext({ files: [file(TOKENS)], context })).toThrow(line)
  })

  test.each([
    ['', '/etc/k/config is empty: must be a kubeconfig'],
    ['a: [', '/etc/k/config is not YAML at line 1'],
    ['kind: Config\nclusters: [{name: a}]', '/etc/k/config: clusters[0].cluster is missing'],
    ['kind: Config', '/etc/k/config: current-context is not set: --context names one (it has none)'],
  ])('that is %j is named with what is wrong', (text, line) => {
    expect(() => chosenContext({ files: [file(text)] })).toThrow(line)
  })
})

describe('a user', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kube-config-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const configOf = (user: string) =>
    file(
      `kind: Config\ncurrent-context: c\nclusters: [{name: a, cluster: {server: "https://192.0.2.1"}}]\nusers: [{name: u, user: ${user}}]\ncontexts: [{name: c, context: {cluster: a, user: u}}]\n`,
      join(folder, 'config'),
    )
  const accessOf = (user: string) => chosenContext({ files: [configOf(user)] }).credentials.access()

  function plugin(name: string, script: string): string {
    const path = join(folder, name)
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    return path
  }

  test('has a plugin: it is run with what kubectl gives it, and once for many requests', async () => {
    const credential =
      '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"fresh"}}'
    const seen = join(folder, 'seen')
    const path = plugin('login', `echo "$KUBERNETES_EXEC_INFO" >> '${seen}'; echo '${credential}'`)
    const { credentials } = chosenContext({
      files: [
        configOf(`{exec: {apiVersion: client.authentication.k8s.io/v1, command: ${JSON.stringify(path)}, args: []}}`),
      ],
    })
    for (let i = 0; i < 3; i++) expect((await credentials.access()).headers.Authorization).toBe('Bearer fresh')
    const calls = readFileSync(seen, 'utf8').trim().split('\n')
    expect(calls.map(line => JSON.parse(line))).toEqual([
      { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', spec: { interactive: false } },
    ])
  })

  test('has a plugin that fails: its words are in the line', async () => {
    const path = plugin('broken', 'echo "log in first" >&2; exit 3')
    const user = `{exec: {apiVersion: client.authentication.k8s.io/v1, command: ${JSON.stringify(path)}}}`
    await expect(accessOf(user)).rejects.toThrow(
      `user "u": the credential plugin ${JSON.stringify(path)} failed: log in first`,
    )
    const absent = '{exec: {apiVersion: client.authentication.k8s.io/v1, command: /no/such/plugin}}'
    await expect(accessOf(absent)).rejects.toThrow('"/no/such/plugin" failed: there is no such file')
  })

  test('logs in by OIDC with a token that has not expired', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const token = `${part({ alg: 'none' })}.${part({ exp: 4_000_000_000 })}.${part({})}`
    const user = `{auth-provider: {name: oidc, config: {client-id: k, id-token: "${token}", refresh-token: r, idp-issuer-url: "https://192.0.2.9"}}}`
    expect((await accessOf(user)).headers.Authorization).toBe(`Bearer ${token}`)
  })

  test('has a token in a file', async () => {
    const path = join(folder, 'token')
    writeFileSync(path, 'from-a-file')
    expect((await accessOf(`{tokenFile: ${JSON.stringify(path)}}`)).headers.Authorization).toBe('Bearer from-a-file')
  })
})
