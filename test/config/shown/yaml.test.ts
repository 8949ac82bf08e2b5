import { expect, test } from 'vitest'
import { yamlText } from '#config/shown/yaml.ts'
import { accepted } from '../parsing.ts'

test('what programs are given as JSON is the same as YAML', () => {
  const json = JSON.stringify({
    sets: [{ network: 'mynet', free: 3, full: false }],
    ring: null,
    ip: '10.0.0.1',
    no: 'no',
  })
  expect(yamlText(json)).toBe(
    ['sets:', '  - network: mynet', '    free: 3', '    full: false', 'ring: null', 'ip: 10.0.0.1', 'no: no'].join(
      '\n',
    ),
  )
})

test('a whole number keeps all of its digits, and what is no JSON stays as it is', () => {
  expect(yamlText('{"size":18446744073709551616}')).toBe('size: 18446744073709551616')
  expect(yamlText('10.9.0.2 is free')).toBe('10.9.0.2 is free')
})

test('-o yaml is -o json in another form, of every verb that has it', async () => {
  const { settings } = await accepted({ verb: 'ipam', argv: ['ls', '-o', 'yaml'] })
  expect([settings.yaml, settings.ipam.output, settings.questions.output, settings.cni.output]).toEqual([
    true,
    'json',
    'json',
    'json',
  ])
  expect((await accepted({ verb: 'ipam', argv: ['ls', '-o', 'json'] })).settings.yaml).toBe(false)
})
