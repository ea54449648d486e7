// Writes a generated file. An unchanged one keeps its modification time, so that it does not look newer than the build.
import { readFileSync, writeFileSync } from 'node:fs'

export function writeIfChanged (file, text) {
  let present
  try {
    present = readFileSync(file, 'utf8')
  } catch {
    // not there yet
  }
  if (present !== text) writeFileSync(file, text)
}
