import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CNI_VERSIONS } from '#cni/protocol/versions.ts'
import { foreignVersions, versionProblems } from '#cni/runner/foreign-versions.ts'
import { outcome, PaperExecutables, paperMachine } from '../parts.ts'

const HAS = outcome({ cniVersion: '1.1.0', supportedVersions: ['0.4.0', 5, '1.0.0'] })

async function asked(names: readonly string[], executables: PaperExecutables) {
  return foreignVersions(names, ['/a', '/b'], paperMachine(executables))
}

test('each executable that is not ours is asked for its versions, once', async () => {
  const executables = new PaperExecutables()
  executables.install('/b/tuning', HAS)
  executables.installOurs('/a/bridge')
  const found = await asked(['tuning', 'bridge', 'tuning', 'missing'], executables)
  expect(found).toEqual([{ name: 'tuning', path: '/b/tuning', versions: ['0.4.0', '1.0.0'] }])
  expect(executables.commands).toMatchObject([
    { argv: ['/b/tuning'], env: { CNI_COMMAND: 'VERSION', CNI_PATH: '/a:/b' }, input: '{"cniVersion":"1.1.0"}' },
  ])
})

test.each([
  [outcome('', 1)],
  [outcome({ supportedVersions: ['1.0.0'] }, 1)],
  [outcome('no JSON')],
  [outcome('null')],
  [outcome({ supportedVersions: '1.0.0' })],
  [outcome({ supportedVersions: [] })],
])('one that answers %j is left out', async answer => {
  const executables = new PaperExecutables()
  executables.install('/a/tuning', answer)
  expect(await asked(['tuning'], executables)).toEqual([])
})

test('a name that leads out of the folders starts nothing', async () => {
  const executables = new PaperExecutables()
  for (const name of ['../tool', 'x/../../tool', '/tool']) executables.install(`/a/${name}`, HAS)
  expect(await asked(['../tool', 'x/../../tool', '/tool'], executables)).toEqual([])
  expect(executables.commands).toEqual([])
})

test('a configuration without a version is one of 0.1.0', () => {
  const plugins = [{ name: 'a', path: '/a/a', versions: ['0.4.0'] }]
  expect([...versionProblems('', plugins)]).toEqual([
    ['a', '/a/a has the versions 0.4.0 and not 0.1.0, so no pod can be attached; write "cniVersion": "0.4.0"'],
  ])
})

test('those that refuse a version are named, with the newest one that suits all', () => {
  const versions = fc.uniqueArray(fc.constantFrom(...CNI_VERSIONS, '9.0.0'), { minLength: 1 })
  fc.assert(
    fc.property(fc.array(versions, { maxLength: 4 }), fc.constantFrom(...CNI_VERSIONS, '9.0.0'), (lists, wanted) => {
      const plugins = lists.map((list, i) => ({ name: `p${i}`, path: `/a/p${i}`, versions: list }))
      const problems = versionProblems(wanted, plugins)
      const refusing = plugins.filter(plugin => !plugin.versions.includes(wanted))
      expect([...problems.keys()]).toEqual(refusing.map(({ name }) => name))
      const suiting = CNI_VERSIONS.filter(version => lists.every(list => list.includes(version)))
      for (const sentence of problems.values()) expect(/"cniVersion": "(.*)"$/.exec(sentence)?.[1]).toBe(suiting.at(-1))
    }),
  )
})
