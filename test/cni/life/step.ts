import fc from 'fast-check'
import { WITNESSES, type WitnessName } from '#ipam/witnesses/verdict.ts'

// What may happen to a node in a day.

/** The daemon, or the process beside it. */
export type Way = 'daemon' | 'fallback'

export type Step =
  /** `lost`: the process was killed before the runtime had its answer, and no DEL follows. `abandoned`: the runtime was killed. */
  | { readonly does: 'add'; readonly way: Way; readonly ends: 'well' | 'lost' | 'abandoned' }
  /** `lost`: the pod ends, and no DEL comes. */
  | { readonly does: 'del'; readonly way: Way; readonly ends: 'well' | 'lost'; readonly pod: number }
  | { readonly does: 'grant' }
  | { readonly does: 'lose server'; readonly pod: number }
  | { readonly does: 'gc' }
  | { readonly does: 'kill' }
  | { readonly does: 'reboot' }
  /** The reference's plugins run for a while: an ADD, or a DEL of a pod. */
  | { readonly does: 'swap'; readonly acts: readonly ('add' | 'del')[]; readonly pod: number }
  | { readonly does: 'fail'; readonly witness: WitnessName }
  | { readonly does: 'answer' }
  | { readonly does: 'round'; readonly seconds: number }
  | { readonly does: 'wait'; readonly seconds: number }

const way = fc.constantFrom<Way>('daemon', 'fallback')
const pod = fc.nat(99)

export const step: fc.Arbitrary<Step> = fc.oneof(
  weighted(30, { does: 'add', way, ends: fc.constantFrom('well', 'well', 'well', 'well', 'lost', 'abandoned') }),
  weighted(24, { does: 'del', way, ends: fc.constantFrom('well', 'well', 'well', 'lost'), pod }),
  weighted(4, { does: 'grant' }),
  weighted(3, { does: 'lose server', pod }),
  weighted(2, { does: 'gc' }),
  weighted(4, { does: 'kill' }),
  weighted(1, { does: 'reboot' }),
  weighted(3, { does: 'swap', acts: fc.array(fc.constantFrom('add', 'del'), { maxLength: 5 }), pod }),
  weighted(3, { does: 'fail', witness: fc.constantFrom(...WITNESSES) }),
  weighted(4, { does: 'answer' }),
  weighted(14, { does: 'round', seconds: fc.integer({ min: 1, max: 90 }) }),
  weighted(6, { does: 'wait', seconds: fc.integer({ min: 1, max: 15 }) }),
)

function weighted(weight: number, { does, ...more }: { does: Step['does'] } & Readonly<Record<string, unknown>>) {
  const arbitraries = more as Readonly<Record<string, fc.Arbitrary<unknown>>>
  return {
    weight,
    arbitrary: fc.record({ does: fc.constant(does), ...arbitraries }) as fc.Arbitrary<unknown> as fc.Arbitrary<Step>,
  }
}
