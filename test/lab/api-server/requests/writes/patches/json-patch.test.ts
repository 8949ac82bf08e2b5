import { describe, expect, test } from 'vitest'
import { Refused } from '#lab/api-server/requests/answers.ts'
import { jsonPatched } from '#lab/api-server/requests/writes/patches/json-patch.ts'

// The cases of RFC 6902, Appendix A, and those at the edges of RFC 6901's pointers.

describe('a JSON patch', () => {
  test.each([
    [
      'A.1 adds an object member',
      { foo: 'bar' },
      [{ op: 'add', path: '/baz', value: 'qux' }],
      { baz: 'qux', foo: 'bar' },
    ],
    [
      'A.2 adds an array element',
      { foo: ['bar', 'baz'] },
      [{ op: 'add', path: '/foo/1', value: 'qux' }],
      { foo: ['bar', 'qux', 'baz'] },
    ],
    ['A.3 removes an object member', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    [
      'A.4 removes an array element',
      { foo: ['bar', 'qux', 'baz'] },
      [{ op: 'remove', path: '/foo/1' }],
      { foo: ['bar', 'baz'] },
    ],
    [
      'A.5 replaces a value',
      { baz: 'qux', foo: 'bar' },
      [{ op: 'replace', path: '/baz', value: 'boo' }],
      { baz: 'boo', foo: 'bar' },
    ],
    [
      'A.6 moves a value',
      { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
      [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
      { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
    ],
    [
      'A.7 moves an array element',
      { foo: ['all', 'grass', 'cows', 'eat'] },
      [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
      { foo: ['all', 'cows', 'eat', 'grass'] },
    ],
    [
      'A.8 tests values',
      { baz: 'qux', foo: ['a', 2, 'c'] },
      [
        { op: 'test', path: '/baz', value: 'qux' },
        { op: 'test', path: '/foo/1', value: 2 },
      ],
      { baz: 'qux', foo: ['a', 2, 'c'] },
    ],
    [
      'A.10 adds a nested member object',
      { foo: 'bar' },
      [{ op: 'add', path: '/child', value: { grandchild: {} } }],
      { foo: 'bar', child: { grandchild: {} } },
    ],
    [
      'A.11 ignores members it does not know',
      { foo: 'bar' },
      [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }],
      { foo: 'bar', baz: 'qux' },
    ],
    ['A.14 reads ~01 as ~1', { '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
    [
      'A.16 adds an array value',
      { foo: ['bar'] },
      [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }],
      { foo: ['bar', ['abc', 'def']] },
    ],
    ['reads ~1 as /', { a: {} }, [{ op: 'add', path: '/a/b~1c', value: 1 }], { a: { 'b/c': 1 } }],
    ['reads ~0 as ~', { a: {} }, [{ op: 'add', path: '/a/b~0c', value: 1 }], { a: { 'b~c': 1 } }],
    ['reads the empty key', { '': 1 }, [{ op: 'replace', path: '/', value: 2 }], { '': 2 }],
    ['replaces a member that exists by add', { a: 1 }, [{ op: 'add', path: '/a', value: 2 }], { a: 2 }],
    ['replaces by null', { a: 1 }, [{ op: 'replace', path: '/a', value: null }], { a: null }],
    ['replaces the whole document', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
    [
      'tests regardless of the order of members',
      { a: { b: 1, c: 2 } },
      [equal('/a', { c: 2, b: 1 })],
      { a: { b: 1, c: 2 } },
    ],
    [
      'copies, and the copy is another value',
      { a: { b: 1 } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'replace', path: '/c/b', value: 2 },
      ],
      { a: { b: 1 }, c: { b: 2 } },
    ],
  ])('%s', (_title, document, patch, expected) => {
    const before = structuredClone(document)
    expect(jsonPatched(document, patch)).toEqual(expected)
    expect(document).toEqual(before)
  })

  test.each([
    ['A.9 tests a value that is another', { baz: 'qux' }, [equal('/baz', 'bar')]],
    ['A.12 adds to a target that does not exist', { foo: 'bar' }, [{ op: 'add', path: '/baz/bat', value: 'qux' }]],
    ['A.15 takes a string for a number', { '/': 9, '~1': 10 }, [equal('/~01', '10')]],
    ['removes what is not there', { a: 1 }, [{ op: 'remove', path: '/b' }]],
    ['replaces what is not there', { a: 1 }, [{ op: 'replace', path: '/b', value: 1 }]],
    ['moves what is not there', { a: 1 }, [{ op: 'move', from: '/b', path: '/c' }]],
    ['copies what is not there', { a: 1 }, [{ op: 'copy', from: '/b', path: '/c' }]],
    ['moves a value into itself', { a: { b: {} } }, [{ op: 'move', from: '/a', path: '/a/b/c' }]],
    ['tests what is not there', { a: 1 }, [equal('/b', null)]],
    ['adds beyond the end', { a: [1] }, [{ op: 'add', path: '/a/2', value: 1 }]],
    ['copies beyond the end', { a: [1] }, [{ op: 'copy', from: '/a/0', path: '/a/5' }]],
    ['replaces at the end', { a: [1] }, [{ op: 'replace', path: '/a/-', value: 2 }]],
    ['writes an index with a zero before it', { a: [1, 2] }, [{ op: 'add', path: '/a/01', value: 1 }]],
    ['writes an index as a word', { a: [1, 2] }, [{ op: 'add', path: '/a/first', value: 1 }]],
    ['has an operation that does not exist', { a: 1 }, [{ op: 'invert', path: '/a' }]],
    ['adds nothing', { a: 1 }, [{ op: 'add', path: '/b' }]],
    ['has no path', { a: 1 }, [{ op: 'remove' }]],
    ['has a path that is no pointer', { a: 1 }, [{ op: 'remove', path: 'a' }]],
    ['has a path with a bad escape', { a: 1 }, [{ op: 'add', path: '/~2', value: 1 }]],
    ['reaches for the prototype', { a: 1 }, [{ op: 'add', path: '/__proto__/polluted', value: 1 }]],
  ])('that %s is refused whole: 422', (_title, document, operations) => {
    const before = structuredClone(document)
    const patch = [{ op: 'add', path: '/first', value: 1 }, ...operations]
    expect(refusalOf(() => jsonPatched(document, patch))).toMatchObject({
      code: 422,
      message: 'the server rejected our request due to an error in our request',
    })
    expect(document).toEqual(before)
  })

  test.each([
    ['an object', { op: 'remove', path: '/a' }],
    ['a list of texts', ['remove /a']],
  ])('that is %s is no patch: 400', (_title, patch) => {
    expect(refusalOf(() => jsonPatched({ a: 1 }, patch))).toMatchObject({ code: 400 })
  })
})

function equal(path: string, value: unknown): object {
  return { op: 'test', path, value }
}

function refusalOf(act: () => unknown): object | undefined {
  try {
    act()
  } catch (error) {
    if (error instanceof Refused) return error.refusal
    throw error
  }
  return undefined
}
