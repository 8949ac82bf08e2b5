import { describe, expect, test } from 'vitest'
import { findNetwork } from '#cni/runner/network-files.ts'
import { PaperFiles } from './paper-files.ts'

const LIST = { cniVersion: '1.0.0', name: 'net1', plugins: [{ type: 'bridge' }] }

describe('a network is found', () => {
  test('in a list before a single configuration, each in the order of names', async () => {
    const files = new PaperFiles({
      '/etc/cni/net.d/00-a.conf': { ...LIST, type: 'single' },
      '/etc/cni/net.d/30-c.conflist': { ...LIST, cniVersion: '0.4.0' },
      '/etc/cni/net.d/20-b.conflist': LIST,
      '/etc/cni/net.d/10-x.conflist': { ...LIST, name: 'other' },
    })
    expect(await findNetwork(files, '/etc/cni/net.d', 'net1')).toMatchObject({
      file: '/etc/cni/net.d/20-b.conflist',
      network: { cniVersion: '1.0.0' },
      problems: [],
    })
  })

  test('in a single configuration', async () => {
    const files = new PaperFiles({ '/n/10.json': { cniVersion: '0.3.1', name: 'net1', type: 'bridge' } })
    expect((await findNetwork(files, '/n', 'net1')).network.plugins).toHaveLength(1)
  })

  test('with the plugins that stand in its folder, unless it has all of them in itself', async () => {
    const files = new PaperFiles({
      '/n/10.conflist': LIST,
      '/n/net1/20.conf': { type: 'tuning' },
      '/n/net1/10.conf': { type: 'portmap' },
      '/n/net1/30.json': { type: 'ignored' },
    })
    const types = async () => (await findNetwork(files, '/n', 'net1')).network.plugins.map(({ type }) => type)
    expect(await types()).toEqual(['bridge', 'portmap', 'tuning'])
    files.texts.set('/n/10.conflist', JSON.stringify({ ...LIST, loadOnlyInlinedPlugins: true }))
    expect(await types()).toEqual(['bridge'])
  })

  test('in a single configuration, which has no further plugins in a folder', async () => {
    const files = new PaperFiles({
      '/n/10.conf': { name: 'net1', type: 'bridge' },
      '/n/net1/20.conf': { type: 'tuning' },
    })
    expect((await findNetwork(files, '/n', 'net1')).network.plugins).toMatchObject([{ type: 'bridge' }])
  })

  test('with all of its plugins in its folder; with none there, that folder is named', async () => {
    const files = new PaperFiles({ '/n/10.conflist': { name: 'net1' }, '/n/net1/20.conf': { type: 'tuning' } })
    expect((await findNetwork(files, '/n', 'net1')).network.plugins).toEqual([{ type: 'tuning' }])
    files.texts.delete('/n/net1/20.conf')
    await expect(findNetwork(files, '/n', 'net1')).rejects.toThrow(
      'network "net1" has no plugins, and there are none in /n/net1',
    )
  })

  test('not without a plugin of its folder that is broken, which is said of that file', async () => {
    const files = new PaperFiles({ '/n/10.conflist': LIST, '/n/net1/20.conf': '{"typ": "tuning"}' })
    await expect(findNetwork(files, '/n', 'net1')).rejects.toThrow(
      /\n\/n\/net1\/20\.conf: type is missing; it names the plugin$/,
    )
    files.texts.set('/n/20.conf', JSON.stringify({ ...LIST, type: 'single' }))
    expect(await findNetwork(files, '/n', 'net1')).toMatchObject({
      file: '/n/20.conf',
      problems: ['/n/net1/20.conf: type is missing; it names the plugin'],
    })
  })

  test('though files go while it is looked for', async () => {
    class Going extends PaperFiles {
      override async list(folder: string): Promise<readonly string[]> {
        return [...((await super.list(folder)) ?? []), '00.conflist', '00.conf']
      }
    }
    const { network, problems } = await findNetwork(new Going({ '/n/10.conflist': LIST }), '/n', 'net1')
    expect([network.plugins.length, problems]).toEqual([1, []])
  })

  test('though another file is broken, which is said', async () => {
    const files = new PaperFiles({ '/n/00.conflist': '{', '/n/10.conflist': LIST })
    const { problems } = await findNetwork(files, '/n', 'net1')
    expect(problems).toEqual([expect.stringMatching(/^\/n\/00\.conflist: not JSON: /)])
  })

  test('or the networks there are named', async () => {
    const files = new PaperFiles({ '/n/10.conflist': LIST, '/n/20.conf': '{}' })
    await expect(findNetwork(files, '/n', 'nte1')).rejects.toThrow(
      'no net configuration with name "nte1" in /n; it has "net1"\n/n/20.conf: type is missing; it names the plugin',
    )
    await expect(findNetwork(files, '/none', 'x')).rejects.toThrow('in /none; there is no network in it')
  })
})
