import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { addNamespaces, inNamespace, labName, removeNamespaces } from '#lab/network/namespaces.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { must } from '#system/must.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { nftContract, wordsOf } from '../contracts/nft.ts'
import { render } from '../lab/paper/rendered.ts'
import { whyNot } from './ground.ts'

// The cases that nft on paper passes, on the real one; and every cluster of the fixtures, in both.

const reason = await whyNot(['nft'])
const host = hostKernel()

describe.skipIf(reason !== undefined)(`nft, the real one${reason === undefined ? '' : ` (${reason})`}`, () => {
  const namespace = `${labName(process.pid)}-nft`
  const kernel = inNamespace(host, namespace)
  beforeAll(() => addNamespaces(host, [namespace]))
  afterAll(() => removeNamespaces(host, [namespace]))
  const flush = () => must(kernel, anyCommand(['nft', 'flush', 'ruleset'])).then(() => undefined)

  nftContract(async () => ({ kernel, end: flush }))

  for (const cluster of ['seed', 'capture-1.36']) {
    test.each(['ipv4', 'ipv6'] as const)(`the rules of ${cluster} are the same on paper: %s`, async family => {
      const path = fileURLToPath(new URL(`../../fixtures/clusters/${cluster}.yaml`, import.meta.url))
      const input = await render(path, family)
      const paper = new PaperKernel()
      for (const it of [kernel, paper]) await must(it, anyCommand(['nft', '-f', '-'], { input }))
      const word = family === 'ipv4' ? 'ip' : 'ip6'
      const real = await wordsOf(kernel, word, 'kube-proxy')
      expect(real.length).toBeGreaterThan(20)
      expect(await wordsOf(paper, word, 'kube-proxy')).toEqual(real)
      await flush()
    })
  }
})
