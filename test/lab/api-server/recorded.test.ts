import { afterAll, describe, expect, test } from 'vitest'
import { startApiServer } from '#lab/api-server/server.ts'
import { type Difference, differences, pairing } from './recorded/differences.ts'
import { EXCEPTIONS, type Exception, excuses } from './recorded/exceptions.ts'
import { normalised } from './recorded/normal.ts'
import { play } from './recorded/player.ts'
import { type Exchange, type Recording, recordings } from './recorded/recording.ts'

const needed = new Set<Exception>()
const all = recordings()

describe('the lab answers as a real kube-apiserver did', () => {
  test.each(all)('$name: $about', async recording => {
    expect(await unexcused(recording)).toEqual([])
  })

  test('in enough exchanges to be worth it', () => {
    expect(all.flatMap(({ exchanges }) => exchanges).length).toBeGreaterThan(500)
  })
})

afterAll(() => {
  const idle = EXCEPTIONS.filter(exception => !needed.has(exception)).map(
    ({ in: name, exchanges, why }) => `${name} ${exchanges}: ${why}`,
  )
  expect(idle, 'exceptions that nothing needs').toEqual([])
})

/** One line for each difference that no exception covers. */
async function unexcused(recording: Recording): Promise<readonly string[]> {
  const { name, exchanges } = recording
  const same = pairing()
  const recorded = normalised(
    recording,
    exchanges.map(({ answer }) => answer),
  )
  const ours = normalised(recording, await replayed(exchanges))
  return exchanges.flatMap(({ request }, index) =>
    differences(recorded[index], ours[index], same).flatMap(difference => {
      const exception = EXCEPTIONS.find(it => excuses(it, { recording: name, request, index }, difference))
      if (exception !== undefined) needed.add(exception)
      return exception === undefined ? [`#${index} ${request}: ${line(difference)}`] : []
    }),
  )
}

async function replayed(exchanges: readonly Exchange[]) {
  const server = await startApiServer({ tokens: new Set(['token']), controllers: 'running' })
  try {
    return await play({ exchanges: exchanges.map(asManyEvents) }, { url: server.url, token: 'token' })
  } finally {
    await server.close()
  }
}

/** A watch need not be waited for when all has come that came at the recorded server. */
function asManyEvents(exchange: Exchange): Exchange {
  const { events, answer } = exchange
  return events !== undefined && Array.isArray(answer.body) ? { ...exchange, events: answer.body.length } : exchange
}

function line({ path, recorded, ours }: Difference): string {
  return `${path} is ${JSON.stringify(ours)} and was ${JSON.stringify(recorded)}`
}
