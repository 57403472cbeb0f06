import { useEffect, useRef, useState } from 'react';

/** A text field whose value is passed on `delay` ms after the last key; a change from outside wins. */
export function useDelayed(value: string, pass: (value: string) => void, delay = 250): [string, (value: string) => void] {
  const [text, setText] = useState(value);
  const passed = useRef(value);
  const latest = useRef(pass);
  useEffect(() => {
    latest.current = pass;
  });
  useEffect(() => {
    if (value === passed.current) return;
    passed.current = value;
    setText(value);
  }, [value]);
  useEffect(() => {
    if (text === passed.current) return undefined;
    const timer = setTimeout(() => {
      passed.current = text;
      latest.current(text);
    }, delay);
    return () => clearTimeout(timer);
  }, [text, delay]);
  return [text, setText];
}
