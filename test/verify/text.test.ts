import { expect, test } from 'vitest'
import type { NodeDifference } from '#verify/difference.ts'
import { differenceText, verifyText } from '#verify/text.ts'

// Differences, as a person reads them.

const GONE: NodeDifference = {
  ...{ kind: 'missing', part: 'services', unit: 'IPv4 nat KUBE-SVC-A', owners: ['shop/cart:http'] },
  ...{ found: [], wanted: ['-A KUBE-SVC-A -j X'], alike: 0, means: 'no connection arrives' },
}
const OTHER: NodeDifference = { ...GONE, kind: 'different', found: ['a', 'b'], wanted: ['c'], alike: 1 }

test.each<[string, NodeDifference, readonly string[]]>([
  [
    'what is missing shows what is wanted',
    GONE,
    [
      'missing IPv4 nat KUBE-SVC-A  (shop/cart:http)',
      '  wanted: -A KUBE-SVC-A -j X',
      '  means:  no connection arrives',
    ],
  ],
  [
    'what is too much shows what is found',
    { ...GONE, kind: 'extra', found: ['x'], wanted: [], owners: [], means: '' },
    ['extra   IPv4 nat KUBE-SVC-A', '  found:  x'],
  ],
  [
    'what is refused shows why',
    { ...GONE, kind: 'refused', found: ['no x'], wanted: [], owners: [], means: '' },
    ['refused IPv4 nat KUBE-SVC-A', '  found:  no x'],
  ],
  [
    'what differs shows both, and counts what is the same',
    OTHER,
    [
      'differs IPv4 nat KUBE-SVC-A  (shop/cart:http)',
      '  found:  a',
      '  found:  b',
      '  wanted: c',
      '  1 line is the same',
      '  means:  no connection arrives',
    ],
  ],
  [
    'no line at all is said',
    { ...OTHER, found: [], alike: 2, owners: [], means: '' },
    ['differs IPv4 nat KUBE-SVC-A', '  found:  (nothing)', '  wanted: c', '  2 lines are the same'],
  ],
])('%s', (_, difference, lines) => {
  expect(differenceText(difference).split('\n')).toEqual(lines)
})

test('owners are named where they are few', () => {
  const first = (owners: readonly string[]) => differenceText({ ...GONE, owners }).split('\n')[0]
  expect(first(['a', 'b', 'c'])).toBe('missing IPv4 nat KUBE-SVC-A  (a, b, c)')
  expect(first(['a', 'b', 'c', 'd'])).toBe('missing IPv4 nat KUBE-SVC-A')
})

test('the last line counts, and says what of it was mended', () => {
  const last = (...given: Parameters<typeof verifyText>) =>
    verifyText(...given)
      .split('\n')
      .slice(-2)
  expect(verifyText([])).toBe('0 differences.')
  expect(last([GONE])).toEqual(['  means:  no connection arrives', '1 difference.'])
  expect(last([GONE, OTHER], [])[1]).toBe('2 differences, 0 mended.')
  expect(
    last(
      [GONE, OTHER],
      [
        { unit: 'a', outcome: 'mended' },
        { unit: 'b', outcome: 'left', why: 'no rights' },
      ],
    ),
  ).toEqual(['left    b: no rights', '2 differences, 1 mended.'])
  expect(last([GONE], [{ unit: 'b', outcome: 'left' }])[0]).toBe('left    b: it is still there')
})
