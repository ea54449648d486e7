// What programs print to a terminal.

/** Whether a text has at most 80 columns, and nothing that a terminal acts on. */
export function isReadable (text: string): boolean {
  return text.split('\n').every((line) => [...line].length <= 80) && !/[^\P{C}\n]/u.test(text)
}
