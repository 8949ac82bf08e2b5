import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  listField,
  type NamedEntry,
  parseKubeconfig,
  switchField,
  textField,
  textFields,
} from '#kubernetes/access/kubeconfig-text.ts'
import { CredentialsProblem } from '#kubernetes/access/problem.ts'

const FILE = '/root/.kube/config'

/** What is wrong, in one line; undefined where nothing is. */
function problem(read: () => unknown): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(CredentialsProblem)
    expect((error as Error).message).not.toMatch(/[\n\r]/)
    return (error as Error).message
  }
}

describe('the text of a kubeconfig', () => {
  test('is its entries by name, each with its place', () => {
    const text = `
current-context: x
clusters:
- {name: a, cluster: {server: "https://a"}}
- {name: "2", cluster: null}
users: null
contexts: []
preferences: {colors: true}
`
    expect(parseKubeconfig(FILE, text)).toEqual({
      file: FILE,
      currentContext: 'x',
      clusters: [
        { name: 'a', at: 'clusters[0].cluster', fields: { server: 'https://a' } },
        { name: '2', at: 'clusters[1].cluster', fields: {} },
      ],
      contexts: [],
      users: [],
    })
  })

  test('whatever it is, is read or refused in one line', () => {
    const pieces = fc.constantFrom(
      ...'clusters users - name: user: cluster: { } [ ] & * a: "\n\t # | > !!binary ? ~ 5'.split(' '),
    )
    const yaml = fc.array(pieces, { maxLength: 30 }).map(words => words.join(' '))
    const json = fc.record({
      clusters: fc.jsonValue(),
      users: fc.jsonValue(),
      contexts: fc.jsonValue(),
      kind: fc.jsonValue(),
    })
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          yaml,
          fc.json(),
          json.map(value => JSON.stringify(value)),
        ),
        text => {
          problem(() => parseKubeconfig(FILE, text))
        },
      ),
      { numRuns: 500 },
    )
    expect(problem(() => parseKubeconfig(FILE, '['.repeat(50_000)))).toMatch(/^\/root\/\.kube\/config is not /)
    expect(problem(() => parseKubeconfig(FILE, '\0\0'))).toBeDefined()
  })

  test('that is the text of a token is not shown', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{20,60}$/), token => {
        expect(problem(() => parseKubeconfig(FILE, token))).toBe(
          `${FILE} holds a text: must be a kubeconfig, with clusters, users and contexts`,
        )
      }),
    )
    expect(problem(() => parseKubeconfig(FILE, '1234567'))).toMatch(/holds a number: /)
  })
})

describe('a field', () => {
  const entry = (fields: object): NamedEntry => ({ name: 'me', at: 'users[0].user', fields: { ...fields } })

  test('of text is absent where it is empty', () => {
    for (const empty of [{}, { a: null }, { a: '' }, { a: undefined }])
      expect(textField(FILE, entry(empty), 'a')).toBeUndefined()
    expect(textField(FILE, entry({ a: ' ' }), 'a')).toBe(' ')
    expect(textFields(FILE, entry({ a: 'x', b: '', c: 5 }), ['a', 'b'])).toEqual({ a: 'x' })
  })

  test('that should be text is named with its value, and a secret without', () => {
    const said = (field: string, value: unknown) => problem(() => textField(FILE, entry({ [field]: value }), field))
    expect(said('server', 5)).toBe(`${FILE}: users[0].user.server is 5: must be text`)
    expect(said('server', { secret: 1 })).toBe(`${FILE}: users[0].user.server is a mapping: must be text`)
    for (const secret of ['token', 'password', 'client-key-data']) {
      expect(said(secret, 12345)).toBe(`${FILE}: users[0].user.${secret} is a number: must be text`)
      expect(said(secret, true)).toBe(`${FILE}: users[0].user.${secret} is a boolean: must be text`)
    }
  })

  test('that is a switch is off where it is absent, and takes no words for yes', () => {
    const skips = (value: unknown) => switchField(FILE, entry({ skip: value }), 'skip')
    expect([skips(undefined), skips(null), skips(false), skips(true)]).toEqual([false, false, false, true])
    for (const word of ['true', 'yes', 1, 0, '']) expect(problem(() => skips(word))).toMatch(/must be true or false$/)
  })

  test('that is a list is empty where it is absent, and never half of one', () => {
    const list = (value: unknown) => listField(FILE, entry({ args: value }), 'args')
    expect([list(undefined), list(null), list([]), list(['a', 1])]).toEqual([[], [], [], ['a', 1]])
    expect(problem(() => list('a'))).toBe(`${FILE}: users[0].user.args is "a": must be a list`)
    expect(problem(() => list({ 0: 'a' }))).toMatch(/is a mapping: must be a list$/)
  })
})
