import fc from 'fast-check'
import { expect, test } from 'vitest'
import { html } from '#page/html/html.ts'
import { bytes, count, duration, facts, grouped, listed, listing, moment } from '#page/html/pieces.ts'

test.each([
  [0, '0.0 ms'],
  [9.94, '9.9 ms'],
  [9.96, '10 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [59_940, '59.9 s'],
  [59_990, '1 min 0 s'],
  [119_400, '1 min 59 s'],
  [119_600, '2 min 0 s'],
  [3_600_000, '60 min 0 s'],
])('%d ms are %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
})

test('no duration has 60 seconds, and a longer one is never a smaller number', () => {
  const inMs = (text: string): number => {
    const [, minutes = '0', value, unit] = /^(?:(\d+) min )?([\d.]+) (m?s)$/.exec(text) ?? []
    if (unit === 's') expect(Number(value)).toBeLessThan(60)
    return Number(minutes) * 60_000 + Number(value) * (unit === 'ms' ? 1 : 1000)
  }
  const any = fc.oneof(fc.double({ min: 0, max: 1000, noNaN: true }), fc.double({ min: 0, max: 1e6, noNaN: true }))
  fc.assert(
    fc.property(any, any, (a, b) => {
      const [less, more] = [Math.min(a, b), Math.max(a, b)].map(ms => inMs(duration(ms)))
      expect(less).toBeLessThanOrEqual(more!)
    }),
  )
})

test.each([
  [999, '999 B'],
  [1000, '1.0 kB'],
  [999_960, '1.0 MB'],
  [12_345_678, '12.3 MB'],
])('%d bytes are %s', (n, text) => {
  expect(bytes(n)).toBe(text)
})

test('what is counted has its word, and thousands are grouped', () => {
  expect([
    count(1, 'endpoint'),
    count(0, 'endpoint'),
    count(1n, 'entry', 'entries'),
    count(2n, 'entry', 'entries'),
  ]).toEqual(['1 endpoint', '0 endpoints', '1 entry', '2 entries'])
  expect(grouped(999_999_999_999n)).toBe('999,999,999,999')
  expect(grouped(2n ** 64n - 5n)).toBe('2^64')
  expect(count(2n ** 64n - 5n, 'address', 'addresses')).toBe('2^64 addresses')
})

test('a moment has its time first, and the whole of it for programs', () => {
  expect(moment(Date.UTC(2026, 0, 2, 3, 4, 5)).toString()).toBe(
    '<time datetime="2026-01-02T03:04:05.000Z" title="2026-01-02T03:04:05.000Z">03:04:05<span class="dim"> 2026-01-02</span></time>',
  )
})

test.each([undefined, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER])(
  'a moment that is no date is never: %s',
  ms => {
    expect(moment(ms).toString()).toBe('<span class="dim">never</span>')
  },
)

test('facts without a value are left out; a zero is one', () => {
  const text = facts([
    { name: 'A', value: undefined },
    { name: 'B', value: false },
    { name: 'C', value: '' },
    { name: 'D', value: 0 },
  ]).toString()
  expect(text).toBe('<dl class="facts"><div><dt>D</dt><dd>0</dd></div></dl>')
})

test('a list has commas between, and a dash where there is nothing', () => {
  expect(listed(['a', html`<b>${'<'}</b>`, 'c']).toString()).toBe('a, <b>&lt;</b>, c')
  expect(listed([]).toString()).toBe('<span class="dim">–</span>')
})

test('a listing is cut where it is too long, and says by how much', () => {
  const of = (lines: number) =>
    listing(Array.from({ length: lines }, (_, n) => `<${n}>`).join('\n'), { label: '"x"', most: 2 })
  expect(of(2).toString()).toBe('<pre tabindex="0" role="region" aria-label="&quot;x&quot;">&lt;0&gt;\n&lt;1&gt;</pre>')
  expect(of(3).toString()).toContain('&lt;1&gt;\n… 1 more line</pre>')
  expect(of(5).toString()).toContain('&lt;1&gt;\n… 3 more lines</pre>')
})
