import { expect, test } from 'vitest'
import { ringInit, ringRange } from '#config/ring-choice.ts'

test.each([
  ['', { mode: 'consensus' }],
  ['consensus', { mode: 'consensus' }],
  ['consensus=3', { mode: 'consensus', peers: 3 }],
  ['consensus=10000', { mode: 'consensus', peers: 10_000 }],
  ['observer', { mode: 'observer' }],
  ['seed=one', { mode: 'seed', names: ['one'] }],
  ['seed=one, two.example', { mode: 'seed', names: ['one', 'two.example'] }],
  ['consensus=0', undefined],
  ['consensus=03', undefined],
  ['consensus=10001', undefined],
  ['consensus=', undefined],
  ['consensus=three', undefined],
  ['observer=1', undefined],
  ['seed', undefined],
  ['seed=', undefined],
  ['seed=one,,two', undefined],
  ['seed=one,', undefined],
  ['Consensus', undefined],
  ['other=one', undefined],
])('a ring that begins by %j is %j', (text, choice) => {
  expect(ringInit(text)).toEqual(choice)
})

test.each([
  ['10.32.0.0/12', '10.32.0.0/12'],
  ['010.32.0.0/12', '10.32.0.0/12'],
  ['10.32.0.0/30', '10.32.0.0/30'],
  ['10.32.0.0/31', undefined],
  ['fd00::/48', undefined],
  ['10.32.0.0', undefined],
  ['', undefined],
])('the range of a ring may be %j: %j', (text, range) => {
  expect(ringRange(text)).toBe(range)
})
