// Values that are made once for everything that is equal: what many routes share costs as much as what one has.

export class Interned<Value> {
  readonly #values = new Map<unknown, Map<string, Value>>()

  /** The value for this owner and key: made now, if it is the first. */
  get (owner: unknown, key: string, make: () => Value): Value {
    const values = this.#values.get(owner) ?? new Map<string, Value>()
    this.#values.set(owner, values)
    const value = values.get(key) ?? make()
    values.set(key, value)
    return value
  }

  clear (): void {
    this.#values.clear()
  }
}
