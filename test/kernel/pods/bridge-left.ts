import type { BridgeStage } from './bridge-stage.ts'

// What a node still has of pods that were attached to it.

export const NOTHING = { rules: [], leased: [], ports: [] }

export async function leftOf(stage: BridgeStage) {
  return {
    rules: await rulesOf(stage),
    leased: await stage.leased(),
    ports: (await stage.run('ip', '-o', 'link')).match(/veth[0-9a-f]{8}/g) ?? [],
  }
}

/** Ours and the reference's. */
export async function rulesOf(stage: BridgeStage): Promise<readonly string[]> {
  const found = await Promise.all(['bridge-pod', 'CNI-', 'cni-br-iface'].map(text => stage.rulesWith(text)))
  return found.flat()
}
