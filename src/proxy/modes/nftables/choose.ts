import { KERNEL_RELEASE } from '#dialects/host.ts'
import { NFT_VERSION } from '#dialects/nft.ts'
import type { Kernel, Outcome } from '#system/ports.ts'
import { FAMILY_LABEL, type Family } from '#values/address.ts'
import { trials } from './trial.ts'
import type { NftWriteOptions } from './write.ts'

// A host → whether it can carry nftables mode in a family, and how its kernel wants chains removed.

export interface NftChoice {
  readonly options: NftWriteOptions
  /** A sentence for the log. */
  readonly why: string
  /** For a host that has refused rules: what it lacks, found by trying all kinds of them; undefined where it lacks nothing. */
  readonly lacks: () => Promise<NoNftables | undefined>
}

export interface NftChoiceOptions {
  readonly family: Family
  /** 'skip' where the operator knows that an older kernel was given what it lacked. */
  readonly kernelCheck: 'enforce' | 'skip'
}

/** The environment variable that asks to skip; it has kube-proxy's name, which operators know. */
export const SKIP_KERNEL_CHECK = 'KUBE_PROXY_NFTABLES_SKIP_KERNEL_VERSION_CHECK'

export class NoNftables extends Error {
  constructor(family: Family, why: string) {
    super(`nftables mode is not possible here for ${FAMILY_LABEL[family]}: ${why}`)
    this.name = 'NoNftables'
  }
}

type Version = readonly number[]

/** Older versions of nft read every rule of the host for each command, and failed on rules that a newer nft had written. */
const OLDEST_NFT: Version = [1, 0, 1]
/** Debian 12's, and known to work. 1.0.2 does not: it takes no number in the key of a map. */
const PROVEN_NFT: Version = [1, 0, 6]
/** kube-proxy's own limit; the rules have not been tried on older kernels. */
const OLDEST_KERNEL: Version = [5, 13]
/** From this kernel on, a chain may be deleted in the transaction that deletes the last jump to it. */
const FORGETS_AT_ONCE: Version = [6, 2]

/**
 * Where nft and the kernel are known to do, nothing is tried at the start: four processes would delay the first rules. Other
 * hosts must take a table with every kind of rule first.
 */
export async function chooseNft(kernel: Kernel, { family, kernelCheck }: NftChoiceOptions): Promise<NftChoice> {
  const refuse = (why: string): never => {
    throw new NoNftables(family, why)
  }
  const [program, uname] = await Promise.all([kernel.run(NFT_VERSION), kernel.run(KERNEL_RELEASE)])
  if (program.code !== 0) refuse('nft is not in PATH or does not run; install the package nftables')
  const nft = versionIn(program.stdout) ?? refuse(`nft --version says "${program.stdout.trim()}", which is no version`)
  if (isBefore(nft, OLDEST_NFT)) refuse(`nft is ${shown(nft)}, and must be ${shown(OLDEST_NFT)} or later`)
  const release = versionIn(uname.stdout) ?? refuse(`uname -r says "${uname.stdout.trim()}", which is no version`)
  if (kernelCheck === 'enforce' && isBefore(release, OLDEST_KERNEL)) {
    const way = `to try all the same, set ${SKIP_KERNEL_CHECK}=1 in the environment`
    refuse(`the kernel is ${shown(release)}, and must be ${shown(OLDEST_KERNEL)} or later; ${way}`)
  }
  const lacks = (): Promise<NoNftables | undefined> => tried(kernel, family, nft)
  if (isBefore(nft, PROVEN_NFT) || isBefore(release, OLDEST_KERNEL)) {
    const lacking = await lacks()
    if (lacking !== undefined) throw lacking
  }
  const chainRemoval = isBefore(release, FORGETS_AT_ONCE) ? 'when-forgotten' : 'at-once'
  return { options: { family, chainRemoval }, why: `nft ${shown(nft)} on kernel ${shown(release)}`, lacks }
}

async function tried(kernel: Kernel, family: Family, nft: Version): Promise<NoNftables | undefined> {
  for (const trial of trials(family)) {
    const outcome = await kernel.run(trial)
    if (outcome.code === 0) continue
    const advice = isBefore(nft, PROVEN_NFT) ? `; nft is ${shown(nft)}, and ${shown(PROVEN_NFT)} is known to do` : ''
    return new NoNftables(family, `${trial.argv.join(' ')} says: ${complaint(outcome)}${advice}`)
  }
  return undefined
}

/** The error, and the line of ours it is about, where nft prints that. */
function complaint({ stderr }: Outcome): string {
  const [what, about] = stderr.trim().split('\n')
  return about === undefined || /^[\s^~]*$/.test(about) ? what! : `${what} (${about.trim()})`
}

function versionIn(text: string): Version | undefined {
  const parts = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text)?.slice(1)
  return parts?.filter(part => part !== undefined).map(Number)
}

function isBefore(version: Version, other: Version): boolean {
  const at = other.findIndex((part, i) => (version[i] ?? 0) !== part)
  return at >= 0 && (version[at] ?? 0) < other[at]!
}

function shown(version: Version): string {
  return version.join('.')
}
