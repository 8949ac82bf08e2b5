import { askLocal } from '#system/local-socket.ts'
import type { PluginAnswer } from '../answer.ts'
import type { PluginCall } from '../protocol/decode.ts'
import { callBytes, readAnswer } from './frames.ts'

// A call → the daemon's answer, by a program that is not the helper. Undefined where no daemon answers.

export async function askDaemon(socket: string, call: PluginCall): Promise<PluginAnswer | undefined> {
  let answer: PluginAnswer | undefined
  const talk = askLocal(socket, connection => {
    let heard = Buffer.alloc(0)
    connection.onBytes(bytes => {
      heard = Buffer.concat([heard, bytes])
      answer = readAnswer(heard)
      if (answer !== undefined) void connection.end()
    })
    void connection.write(callBytes(call))
  })
  await talk.catch(() => {})
  return answer
}
