import { render } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { forgetJump, requestJump, useJump, type Jump } from './jump';

// Each test on a day of its own: a jump is soon forgotten.
let day = 0;
beforeEach(() => vi.useFakeTimers({ now: Date.UTC(2026, 0, ++day) }));
afterEach(() => vi.useRealTimers());

function Ear({ heard }: { heard: (jump: Jump) => void }) {
  useJump(heard);
  return null;
}

const JUMP = { key: 'train', place: 'with.rate' };

it('tells everybody who listens, after what was changed has been drawn', () => {
  const [canvas, panel] = [vi.fn(), vi.fn()];
  render(
    <>
      <Ear heard={canvas} />
      <Ear heard={panel} />
    </>,
  );
  requestJump(JUMP);
  expect(canvas).not.toHaveBeenCalled();
  vi.runAllTimers();
  expect(canvas).toHaveBeenCalledExactlyOnceWith(JUMP);
  expect(panel).toHaveBeenCalledExactlyOnceWith(JUMP);
});

it('reaches a panel that only opens because of it, and nobody much later', () => {
  requestJump(JUMP);
  vi.advanceTimersByTime(100);
  const [soon, late] = [vi.fn(), vi.fn()];
  render(<Ear heard={soon} />);
  expect(soon).toHaveBeenCalledWith(JUMP);
  vi.advanceTimersByTime(2000);
  render(<Ear heard={late} />);
  expect(late).not.toHaveBeenCalled();
});

it('is forgotten with the page it was of', () => {
  const [there, here] = [vi.fn(), vi.fn()];
  const page = render(<Ear heard={there} />);
  requestJump(JUMP);
  vi.runAllTimers();
  page.unmount();
  forgetJump();
  render(<Ear heard={here} />);
  expect(here).not.toHaveBeenCalled();
});

it('goes only to the last place that was asked for', () => {
  const heard = vi.fn();
  render(<Ear heard={heard} />);
  requestJump(JUMP);
  requestJump({ key: 'ingest' });
  vi.runAllTimers();
  expect(heard).toHaveBeenCalledExactlyOnceWith({ key: 'ingest' });
});

it('stops when the listener is gone', () => {
  const heard = vi.fn();
  render(<Ear heard={heard} />).unmount();
  requestJump(JUMP);
  vi.runAllTimers();
  expect(heard).not.toHaveBeenCalled();
});
