/** Whether two plain values say the same. What is the same object is not looked into. */
export function same(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const [names, others] = [Object.keys(one), Object.keys(other)];
  return names.length === others.length && names.every((name) => same(of(one, name), of(other, name)));
}

function of(value: object, name: string): unknown {
  return (value as Record<string, unknown>)[name];
}
