import { lazy, type ComponentType } from 'react';

const found = import.meta.glob<Record<string, ComponentType<object>>>(['../{canvas,panels,code}/*.tsx', '!../**/*.test.tsx']);

/** A part of the editor by its folder and name. */
export function part<Props extends object = object>(folder: string, name: string): ComponentType<Props> | null {
  const load = found[`../${folder}/${name}.tsx`];
  if (!load) return null;
  return lazy(async () => {
    const module = await load();
    const Part = module[name];
    if (!Part) throw new Error(`${folder}/${name} has no such part.`);
    return { default: Part as ComponentType<Props> };
  });
}
