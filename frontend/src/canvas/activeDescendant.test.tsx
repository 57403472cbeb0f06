import { render, screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { useActiveDescendant } from './activeDescendant';

function Card({ id, active }: { id: string; active: boolean }) {
  return <div ref={useActiveDescendant(active)} id={id} />;
}

function Canvas({ drawn, active }: { drawn: string[]; active: string | null }) {
  return (
    <div className="react-flow" role="application">
      {drawn.map((id) => (
        <Card key={id} id={id} active={id === active} />
      ))}
    </div>
  );
}

describe('a canvas', () => {
  it('names its active card while that is drawn, and none that is not', () => {
    const { rerender } = render(<Canvas drawn={['a', 'b']} active="a" />);
    const named = () => screen.getByRole('application').getAttribute('aria-activedescendant');
    expect(named()).toBe('a');
    rerender(<Canvas drawn={['a', 'b']} active="b" />);
    expect(named()).toBe('b');
    rerender(<Canvas drawn={['a']} active="b" />);
    expect(named()).toBeNull();
    rerender(<Canvas drawn={['a', 'b']} active="b" />);
    expect(named()).toBe('b');
    rerender(<Canvas drawn={['a', 'b']} active={null} />);
    expect(named()).toBeNull();
  });
});
