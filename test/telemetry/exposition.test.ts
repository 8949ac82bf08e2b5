import { describe, expect, test } from 'vitest'
import { goFloat, Registry } from '#telemetry/exposition.ts'

describe('the text format', () => {
  test('a metric without labels is there from the start, one with labels after its first observation', () => {
    const registry = new Registry()
    const plain = registry.counter({ name: 'b_total', help: 'Plain.' })
    const labelled = registry.gauge({ name: 'a', help: 'Labelled.', labels: ['z', 'k'] })
    expect(registry.text()).toBe('# HELP b_total Plain.\n# TYPE b_total counter\nb_total 0\n')
    plain.add({}, 2)
    labelled.set({ z: '2', k: '1' }, -0.5)
    expect(registry.text()).toBe(
      '# HELP a Labelled.\n# TYPE a gauge\na{k="1",z="2"} -0.5\n# HELP b_total Plain.\n# TYPE b_total counter\nb_total 2\n',
    )
  })

  test('the same labels are the same series, in whatever order they are given, and series are sorted', () => {
    const registry = new Registry()
    const counter = registry.counter({ name: 'c', help: '', labels: ['a', 'b'] })
    counter.add({ b: 'y', a: 'x' })
    counter.add({ a: 'x', b: 'y' })
    counter.add({ a: 'w', b: 'y' }, 0)
    counter.follow({ a: 'z', b: 'y' }, 7)
    expect(registry.text().split('\n').slice(2, -1)).toEqual([
      'c{a="w",b="y"} 0',
      'c{a="x",b="y"} 2',
      'c{a="z",b="y"} 7',
    ])
  })

  test('a bucket holds what is not above its bound, and all that came before', () => {
    const registry = new Registry()
    const histogram = registry.histogram([0.5, 1], { name: 'h', help: '', labels: ['of'] })
    for (const value of [0.5, 0.6, 1, 3, -1]) histogram.observe({ of: 'x' }, value)
    expect(registry.text().split('\n').slice(2, -1)).toEqual([
      'h_bucket{of="x",le="0.5"} 2',
      'h_bucket{of="x",le="1"} 4',
      'h_bucket{of="x",le="+Inf"} 5',
      'h_sum{of="x"} 4.1',
      'h_count{of="x"} 5',
    ])
  })

  test('no label and no help text can end its line', () => {
    const registry = new Registry()
    registry.gauge({ name: 'g', help: 'two\nlines \\', labels: ['text'] }).set({ text: 'a "b"\n\\' }, 1)
    expect(registry.text()).toBe('# HELP g two\\nlines \\\\\n# TYPE g gauge\ng{text="a \\"b\\"\\n\\\\"} 1\n')
  })
})

test.each([
  [0, '0'],
  [1, '1'],
  [0.001, '0.001'],
  [0.0001, '0.0001'],
  [0.00001, '1e-05'],
  [100_000, '100000'],
  [1_000_000, '1e+06'],
  [45_789_184, '4.5789184e+07'],
  [1795221198.8417747, '1.7952211988417747e+09'],
  [-2.5, '-2.5'],
  [Number.POSITIVE_INFINITY, '+Inf'],
  [Number.NEGATIVE_INFINITY, '-Inf'],
  [Number.NaN, 'NaN'],
])('%d is written as Go does: %s', (value, text) => {
  expect(goFloat(value)).toBe(text)
})
