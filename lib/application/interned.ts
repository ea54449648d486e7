// A map that creates each value once per owner and key, so that many routes share one. Application uses it for policies and hooks.

export class Interned<Value> {
  readonly #values = new Map<unknown, Map<string, Value>>()

  /** The value for this owner and key. Calls `make` if there is none yet. */
  get (owner: unknown, key: string, make: () => Value): Value {
    let values = this.#values.get(owner)
    if (values === undefined) this.#values.set(owner, values = new Map())
    let value = values.get(key)
    if (value === undefined) values.set(key, value = make())
    return value
  }

  clear (): void {
    this.#values.clear()
  }
}
