import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { apiChoice, namesApi } from '#operator/source/credentials.ts'

// Which API server is meant, in kubectl's order.

const folder = mkdtempSync(join(tmpdir(), 'credentials-'))
afterAll(() => rmSync(folder, { recursive: true }))

function config(path: string, context: string): string {
  const whole = join(folder, path)
  mkdirSync(join(whole, '..'), { recursive: true })
  writeFileSync(
    whole,
    `kind: Config\ncurrent-context: ${context}\nclusters: [{name: a, cluster: {server: "https://192.0.2.1"}}]\nusers: []\ncontexts: [{name: ${context}, context: {cluster: a}}]\n`,
  )
  return whole
}

const FLAG = config('flag', 'of-flag')
const VARIABLE = config('variable', 'of-variable')
const HOME = join(folder, 'home')
config('home/.kube/config', 'of-home')
const POD = { KUBERNETES_SERVICE_HOST: '192.0.2.9', KUBERNETES_SERVICE_PORT: '443' }

describe('the API server', () => {
  test.each([
    ['--kubeconfig before all', { kubeconfig: FLAG }, { KUBECONFIG: VARIABLE, HOME }, `context of-flag of ${FLAG}`],
    ['then $KUBECONFIG', {}, { KUBECONFIG: VARIABLE, HOME, ...POD }, `context of-variable of ${VARIABLE}`],
    [
      'of which some may be missing',
      {},
      { KUBECONFIG: `/no/such:${VARIABLE}`, HOME },
      `context of-variable of ${VARIABLE}`,
    ],
    ['then ~/.kube/config', {}, { HOME, ...POD }, `context of-home of ${HOME}/.kube/config`],
    ['then --master alone', { master: 'http://192.0.2.3' }, { HOME: folder }, '--master http://192.0.2.3'],
    ['then the service account of a pod', {}, { HOME: folder, ...POD }, 'the service account of this pod'],
  ])('is that of %s', async (_, settings, env, from) => {
    // The service account is looked for where this process is.
    if (from.startsWith('the service')) {
      expect(await apiChoice(settings, env).catch((error: Error) => error.message)).toMatch(/KUBERNETES_SERVICE_HOST/)
      return
    }
    expect(await apiChoice(settings, env)).toMatchObject({ from })
  })

  test('is none where nothing names one, and that is said', async () => {
    expect(await apiChoice({}, { HOME: folder })).toEqual({
      why: `no kubeconfig ($KUBECONFIG is not set, there is no ${folder}/.kube/config)`,
    })
    await expect(apiChoice({ kubeconfig: '/no/such' }, {})).rejects.toThrow(
      '--kubeconfig: cannot read the kubeconfig (/no/such: there is no such file)',
    )
    await expect(apiChoice({ context: 'x' }, { HOME: folder })).rejects.toThrow(
      '--context: "x" is of no file: no kubeconfig',
    )
  })

  test('is named by a command line that has one of three flags', () => {
    expect([{}, { kubeconfig: 'a' }, { master: 'b' }, { context: 'c' }].map(namesApi)).toEqual([
      false,
      true,
      true,
      true,
    ])
  })
})
