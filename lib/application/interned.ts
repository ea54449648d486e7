// Values that are made once for everything that is equal: what many routes share costs as much as what one has.

export class Interned<Value> {
  readonly #values = new Map<unknown, Map<string, Value>>()

  /** The value for this owner and key: made now, if it is the first. */
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
