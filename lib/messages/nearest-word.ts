// Finds the known word that a misspelt one was most likely meant to be, for "did you mean …?" in messages.

/** The word with the fewest insertions, deletions and replacements to the text, ignoring case; undefined if all need too many. */
export function nearestWord (text: string, words: readonly string[]): string | undefined {
  let best: string | undefined
  let fewest = Math.min(text.length, Math.max(2, Math.floor(text.length / 3)) + 1)
  for (const word of words) {
    const edits = distance(text.toLowerCase(), word.toLowerCase(), fewest)
    if (edits < fewest) {
      fewest = edits
      best = word
    }
  }
  return best
}

/** The Levenshtein distance, computed row by row. Returns `limit` at once if the lengths alone differ by that much. */
function distance (from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) return limit
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[to.length] as number
}
