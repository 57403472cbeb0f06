import type { ReactNode } from 'react';
import icon from '../ui/icon.svg';
import css from './Card.module.css';

/** A small page of its own, without the navigation of who is signed in. */
export function SignInCard({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className={css.page}>
      <div className={css.card}>
        <img src={icon} alt="" width={36} height={36} />
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}
