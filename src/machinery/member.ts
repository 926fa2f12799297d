/** An object's own member: `__proto__`, `constructor` and the like are names as any other. */
export function memberOf<V>(
  object: Readonly<Record<string, V>> | undefined,
  name: string,
): V | undefined;
export function memberOf(object: unknown, name: string): unknown;
export function memberOf(object: unknown, name: string): unknown {
  return typeof object === 'object' && object !== null && Object.hasOwn(object, name)
    ? (object as Record<string, unknown>)[name]
    : undefined;
}

/** Sets an own member, whatever its name: an assignment to `__proto__` would not. */
export function setMember(object: object, name: string, value: unknown): void {
  if (name !== '__proto__') (object as Record<string, unknown>)[name] = value;
  else {
    const member = { value, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(object, name, member);
  }
}
