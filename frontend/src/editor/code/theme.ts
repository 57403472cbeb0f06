import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

/* The look of code. Colours are tokens, so light and dark need no second theme; no picture comes from a data: address. */

const underlined = (colour: string) => ({
  backgroundImage: 'none',
  textDecoration: `underline wavy var(${colour}) 1px`,
  textUnderlineOffset: '3px',
});

const marker = (colour: string, shape: object) => ({
  content: '""',
  display: 'block',
  width: '8px',
  height: '8px',
  margin: '5px auto 0',
  background: `var(${colour})`,
  ...shape,
});

const button = {
  height: '24px',
  padding: '0 8px',
  border: '1px solid var(--border)',
  borderRadius: 'var(--radius-4)',
  background: 'var(--surface)',
  backgroundImage: 'none',
  color: 'var(--text)',
  font: 'var(--weight-500) var(--type-12) var(--sans)',
  cursor: 'pointer',
};

const look = EditorView.theme({
  '&': { height: '100%', background: 'var(--surface)', color: 'var(--text)', fontSize: '12px' },
  // The frame around shows the focus: gutters would cover it here.
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '18px' },
  '.cm-content': { padding: '8px 0', caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground, .cm-content ::selection': {
    background: 'color-mix(in srgb, var(--accent) 24%, transparent)',
  },
  '.cm-gutters': { borderRight: '0', background: 'var(--surface)', color: 'var(--text-3)' },
  '.cm-lineNumbers .cm-gutterElement': { minWidth: '28px', padding: '0 4px 0 8px' },
  '.cm-foldGutter .cm-gutterElement': { width: '16px', cursor: 'pointer', textAlign: 'center' },
  '.cm-foldPlaceholder': {
    padding: '0 4px',
    border: '1px solid var(--border)',
    background: 'var(--sunken)',
    color: 'var(--text-2)',
  },
  '.cm-activeLine, .cm-activeLineGutter': { background: 'color-mix(in srgb, var(--text) 4%, transparent)' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { background: 'var(--sunken)', outline: '1px solid var(--border-strong)' },
  '.cm-selectionMatch, .cm-searchMatch': { background: 'var(--retrying-tint)', outline: '1px solid var(--retrying)' },
  '.cm-searchMatch-selected': { background: 'color-mix(in srgb, var(--accent) 30%, transparent)', outlineColor: 'var(--accent)' },
  '.cm-ofSelectedTask': {
    background: 'color-mix(in srgb, var(--accent) 7%, transparent)',
    boxShadow: 'inset 2px 0 0 var(--accent)',
  },
  '.cm-specialChar': { color: 'var(--failed)', background: 'var(--failed-tint)' },

  '.cm-lintRange-error': underlined('--failed'),
  '.cm-lintRange-warning': underlined('--retrying'),
  '.cm-lintPoint-error:after': { borderBottomColor: 'var(--failed)' },
  '.cm-lintPoint-warning:after': { borderBottomColor: 'var(--retrying)' },
  '.cm-lintRange-active': { background: 'color-mix(in srgb, var(--text) 8%, transparent)' },
  '.cm-gutter-lint': { width: '12px' },
  '.cm-gutter-lint .cm-gutterElement': { padding: '0' },
  '.cm-lint-marker': { width: '12px', height: '18px' },
  '.cm-lint-marker-error': marker('--failed', { borderRadius: '50%' }),
  '.cm-lint-marker-warning': marker('--retrying', { transform: 'rotate(45deg)' }),
  '.cm-diagnostic': { padding: '4px 8px', borderLeft: '3px solid', font: 'var(--weight-400) var(--type-12) var(--sans)' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--failed)' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--retrying)' },

  '.cm-tooltip': {
    maxWidth: '420px',
    overflow: 'hidden',
    border: '1px solid var(--border)',
    borderRadius: 'var(--radius-6)',
    background: 'var(--surface)',
    boxShadow: 'var(--shadow)',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { maxHeight: '220px', fontFamily: 'var(--mono)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '2px 8px', lineHeight: '18px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { background: 'var(--accent)', color: 'var(--on-accent)' },
  '.cm-tooltip-autocomplete ul li[aria-selected] .cm-completionDetail': { color: 'inherit' },
  '.cm-completionDetail': { color: 'var(--text-3)', fontStyle: 'normal' },

  '.cm-panels': { background: 'var(--surface)', color: 'var(--text)' },
  '.cm-panels.cm-panels-top': { borderBottom: '1px solid var(--border)' },
  '.cm-panel.cm-search': { padding: '6px 28px 6px 8px', font: 'var(--weight-400) var(--type-12) var(--sans)' },
  '.cm-panel.cm-search label': { display: 'inline-flex', gap: '4px', alignItems: 'center', fontSize: '12px' },
  '.cm-panel.cm-search input[type=checkbox]': { width: '14px', height: '14px', margin: '0', accentColor: 'var(--accent)' },
  '.cm-textfield': {
    height: '24px',
    border: '1px solid var(--border-strong)',
    borderRadius: 'var(--radius-4)',
    background: 'var(--surface)',
    color: 'var(--text)',
    font: 'var(--weight-400) var(--type-12) var(--mono)',
  },
  '.cm-button, .cm-button:active': button,
  '.cm-panel.cm-search [name=close]': { top: '6px', right: '6px', width: '24px', height: '24px', color: 'var(--text-2)', fontSize: '16px' },
});

const colours = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.keyword, tags.definitionKeyword, tags.controlKeyword], color: 'var(--accent)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--succeeded)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--approval)' },
  { tag: tags.comment, color: 'var(--text-3)', fontStyle: 'italic' },
  { tag: [tags.function(tags.variableName), tags.function(tags.definition(tags.variableName)), tags.className], color: 'var(--running)' },
  { tag: [tags.punctuation, tags.bracket, tags.separator, tags.meta, tags.operator], color: 'var(--text-2)' },
]);

export const theme: Extension = [look, syntaxHighlighting(colours)];
