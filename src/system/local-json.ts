// A URL on this machine → the JSON it answers with, or nothing: for questions that may stay without an answer.

export async function localJson(url: string, waitMs: number): Promise<unknown> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(waitMs) })
    return answer.ok ? await answer.json() : undefined
  } catch {
    return undefined
  }
}
