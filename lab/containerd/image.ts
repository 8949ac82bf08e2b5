import { createHash } from 'node:crypto'

// A program that needs no libraries, and what it is to run → an image as registries have them, in one archive (OCI image layout).

export interface ImageOptions {
  /** With registry and tag. */
  readonly name: string
  readonly files: readonly ImageFile[]
  readonly entrypoint: readonly string[]
}

export interface ImageFile {
  /** Without a leading slash; ends with one where it is a folder. */
  readonly path: string
  readonly bytes?: Buffer
  /** It is a link to this. */
  readonly leadsTo?: string
}

export function imageArchive({ name, files, entrypoint }: ImageOptions): Buffer {
  const layer = archive(files)
  const config = json({
    ...{ architecture: ARCHITECTURE, os: 'linux', config: { Entrypoint: entrypoint, Cmd: [] } },
    rootfs: { type: 'layers', diff_ids: [digest(layer)] },
  })
  const manifest = json({
    ...{ schemaVersion: 2, mediaType: `${OCI}.manifest.v1+json` },
    config: described('config.v1+json', config),
    layers: [described('layer.v1.tar', layer)],
  })
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name }
  const index = json({
    schemaVersion: 2,
    manifests: [{ ...described('manifest.v1+json', manifest), annotations }],
  })
  return archive([
    { path: 'oci-layout', bytes: json({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', bytes: index },
    ...[layer, config, manifest].map(bytes => ({ path: `blobs/sha256/${digest(bytes).slice(7)}`, bytes })),
  ])
}

const OCI = 'application/vnd.oci.image'
const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch

function described(type: string, bytes: Buffer): { mediaType: string; digest: string; size: number } {
  return { mediaType: `${OCI}.${type}`, digest: digest(bytes), size: bytes.length }
}

function digest(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value))
}

const BLOCK = 512

/** In the format of POSIX tar; everything in it may be executed, and belongs to root. */
function archive(files: readonly ImageFile[]): Buffer {
  const blocks = files.flatMap(({ path, bytes = Buffer.alloc(0), leadsTo }) => {
    const padding = Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)
    return [header(path, bytes.length, leadsTo), bytes, padding]
  })
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])
}

function header(path: string, size: number, leadsTo = ''): Buffer {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`
  block.write(path, 0)
  block.write(octal(0o755, 7) + octal(0, 7) + octal(0, 7) + octal(size, 11) + octal(0, 11), 100)
  block.write(' '.repeat(8), 148)
  block.write(leadsTo !== '' ? '2' : path.endsWith('/') ? '5' : '0', 156)
  block.write(leadsTo, 157)
  block.write('ustar\x0000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)} `, 148)
  return block
}
