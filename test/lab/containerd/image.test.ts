import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { imageArchive } from '#lab/containerd/image.ts'

/** Name → content. */
function unpacked(archive: Buffer): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (let at = 0; archive[at] !== 0; ) {
    const name = archive.toString('utf8', at, archive.indexOf(0, at))
    const size = Number.parseInt(archive.toString('utf8', at + 124, at + 135), 8)
    files.set(name, archive.subarray(at + 512, at + 512 + size))
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}

test('an image names its manifest, that its layers, and each by what is in it', () => {
  const program = Buffer.from('a program')
  const archive = imageArchive({
    name: 'registry.example/pod:1',
    files: [{ path: 'bin/' }, { path: 'bin/program', bytes: program }],
    entrypoint: ['/bin/program'],
  })
  const files = unpacked(archive)
  const blob = (digest: string): Buffer => {
    const content = files.get(`blobs/sha256/${digest.slice('sha256:'.length)}`)!
    expect(`sha256:${createHash('sha256').update(content).digest('hex')}`).toBe(digest)
    return content
  }
  const { manifests } = JSON.parse(files.get('index.json')!.toString())
  expect(manifests[0].annotations['io.containerd.image.name']).toBe('registry.example/pod:1')
  const manifest = JSON.parse(blob(manifests[0].digest).toString())
  const layer = blob(manifest.layers[0].digest)
  expect(layer.length).toBe(manifest.layers[0].size)
  expect(unpacked(layer).get('bin/program')).toEqual(program)
  const config = JSON.parse(blob(manifest.config.digest).toString())
  expect(config).toMatchObject({
    config: { Entrypoint: ['/bin/program'] },
    rootfs: { diff_ids: [manifest.layers[0].digest] },
  })
})
