// The first bytes of a connection → whether its client speaks HTTP.

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map(method => `${method} /`)

export function speaksHttp(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.subarray(0, 16)).toString('latin1')
  return METHODS.some(method => text.startsWith(method))
}
