/** No source has a cluster; the message says where it was looked for, and what would help. */
export class NoCluster extends Error {
  override readonly name = 'NoCluster'
}
