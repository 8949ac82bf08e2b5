import { describe, expect, test } from 'vitest'
import { identityFrom } from '#kubernetes/access/identity.ts'
import type { Chosen, NamedEntry } from '#kubernetes/access/kubeconfig-text.ts'
import { CredentialsProblem } from '#kubernetes/access/problem.ts'

const FILE = '/etc/kubernetes/proxy.conf'
const V1 = 'client.authentication.k8s.io/v1'
const entry = (at: string, fields: object): NamedEntry => ({ name: 'me', at, fields: { ...fields } })

function chosen(user: object, cluster: object = {}): Chosen {
  return { file: FILE, user: entry('users[0].user', user), cluster: entry('clusters[0].cluster', cluster) }
}

const identity = (user: object, cluster?: object) => {
  const { token, tokenFile, username, password } = user as Record<string, string>
  const texts = Object.fromEntries(
    Object.entries({ token, tokenFile, username, password }).filter(([, text]) => text !== undefined),
  )
  return identityFrom(chosen(user, cluster), texts, path => `/resolved/${path}`)
}

function problem(user: object): string {
  try {
    identity(user)
  } catch (error) {
    expect(error).toBeInstanceOf(CredentialsProblem)
    return (error as Error).message
  }
  throw new Error('nothing was wrong')
}

describe('of several ways to say who one is', () => {
  const exec = { command: 'login', apiVersion: V1 }
  const all = { tokenFile: 't', token: ' abc\n', username: 'u', password: 'p', exec, 'auth-provider': { name: 'gcp' } }

  test('a token file is first, then a token, a password and a plugin, as in client-go', () => {
    const order = ['tokenFile', 'token', 'username', 'exec'] as const
    const left: Partial<typeof all> = { ...all }
    const ways = order.map(next => {
      const { by } = identity(left).identity
      delete left[next]
      return by
    })
    expect(ways).toEqual(['token-file', 'token', 'password', 'exec'])
    expect(problem(left)).toBe(
      `${FILE}: users[0].user.auth-provider is "gcp": must be an exec plugin or a tokenFile instead`,
    )
    expect(identity({}).identity).toEqual({ by: 'nothing' })
  })

  test('a token beside a token file goes with it, without the space around it', () => {
    expect(identity(all).identity).toEqual({
      by: 'token-file',
      file: { from: 'file', path: '/resolved/t', named: `users[0].user.tokenFile of ${FILE}` },
      token: 'abc',
    })
  })

  test('a password may be empty', () =>
    expect(identity({ username: 'u' }).identity).toEqual({ by: 'password', username: 'u', password: '' }))

  test.each(['two words', 'a\nb', 'tökn', ' '])('the token %j cannot stand in a header, and is not shown', token => {
    expect(problem({ token })).toBe(`${FILE}: users[0].user.token is not one line of visible characters`)
  })
})

describe('a plugin', () => {
  const plugin = (exec: object, cluster?: object) => {
    const found = identity({ exec: { command: 'login', apiVersion: V1, ...exec } }, cluster).identity
    return found.by === 'exec' ? found.plugin : undefined
  }

  test('is looked for beside the kubeconfig where it has a folder, and in PATH where it has none', () => {
    const commands = ['login', './login', '../login', '/bin/login'].map(command => plugin({ command })?.argv[0])
    expect(commands).toEqual(['login', '/etc/kubernetes/login', '/etc/login', '/bin/login'])
  })

  test('has the arguments and variables that are listed, and no others', () => {
    const env = [{ name: 'A', value: 'x' }, { name: 'B' }, { value: 'without a name' }, null, 'C=1']
    expect(plugin({ args: ['--n', 5], env })).toMatchObject({ argv: ['login', '--n', '5'], env: { A: 'x', B: '' } })
    expect(plugin({ args: null, env: null })).toMatchObject({ argv: ['login'], env: {} })
  })

  test('is refused where its arguments are no list: it would run without them', () => {
    const exec = { command: 'login', apiVersion: V1 }
    expect(problem({ exec: { ...exec, args: '--cluster=a' } })).toBe(
      `${FILE}: users[0].user.exec.args is "--cluster=a": must be a list`,
    )
    expect(problem({ exec: { ...exec, env: { A: 'x' } } })).toBe(
      `${FILE}: users[0].user.exec.env is a mapping: must be a list`,
    )
  })

  test('learns of the cluster where it asks for that, and nothing it does not need', () => {
    const cluster = { server: 'https://a', 'certificate-authority-data': 'secret', extensions: 'none' }
    expect(plugin({ provideClusterInfo: true }, cluster)?.cluster).toEqual({ server: 'https://a' })
    expect(plugin({ provideClusterInfo: 'yes' }, cluster)).not.toHaveProperty('cluster')
  })
})

describe('whom one acts for', () => {
  const headers = (user: object) => identity(user).impersonation

  test('is no header of its own where nothing is said', () => {
    expect(headers({ as: '', 'as-groups': [], 'as-user-extra': {} })).toEqual({})
  })

  test('is named by every limit there is', () => {
    expect(headers({ as: 'jane', 'as-user-extra': { 'Example.org/a(b)%': ['x', 7] } })).toEqual({
      'impersonate-user': 'jane',
      'impersonate-extra-example.org%2Fa%28b%29%25': ['x', '7'],
    })
    for (const name of Object.keys(headers({ as: 'jane', 'as-user-extra': { 'é "(\uD800': [] } }))) {
      expect(() => new Headers([[name, 'x']])).not.toThrow()
    }
  })

  test.each([[{ 'as-uid': '7' }], [{ 'as-groups': ['viewers'] }], [{ 'as-user-extra': { scopes: ['view'] } }]])(
    '%j alone is refused: without a user the requests would have all rights of our own',
    limits => {
      expect(problem(limits)).toBe(
        `${FILE}: users[0].user has as-groups, as-uid or as-user-extra but no "as": must name the user, too`,
      )
    },
  )

  test.each([
    [{ 'as-groups': 'viewers' }, '.as-groups is "viewers": must be a list'],
    [{ 'as-user-extra': ['view'] }, '.as-user-extra is a list: must be a mapping'],
    [{ 'as-user-extra': { scopes: 'view' } }, '.as-user-extra.scopes is "view": must be a list'],
    [{ as: 7 }, '.as is 7: must be text'],
    [{ as: 'a\r\nx: y' }, ' has "as…" with "a\\r\\nx: y": must be one line of visible characters'],
    [{ 'as-groups': ['ü'] }, ' has "as…" with "ü": must be one line of visible characters'],
  ])('%j is refused, and not left out', (more, message) => {
    expect(problem({ as: 'jane', ...more })).toBe(`${FILE}: users[0].user${message}`)
  })
})
