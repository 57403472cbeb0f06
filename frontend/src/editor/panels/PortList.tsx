import type { Port } from '../types';
import css from './Panel.module.css';

/** Names and types. */
export function PortList({ ports }: { ports: readonly Port[] }) {
  return (
    <ul className={css.ports}>
      {ports.map(({ name, type }) => (
        <li key={name}>
          <span className={css.port}>{name}</span>
          <span className={css.type}>{type}</span>
        </li>
      ))}
    </ul>
  );
}
