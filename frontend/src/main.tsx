import '@fontsource-variable/inter';
import './ui/tokens.css';
import './ui/looks.css';
import './ui/base.css';
import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './router/App';
import { pageNonce } from './ui/nonce';
import { applyTheme } from './ui/theme';

applyTheme();
// For the style sheet that dialogs add while the page behind them must not scroll.
setNonce(pageNonce());

// The server was renewed while this page was open, and a part of it that was not loaded yet is gone: take the new page.
window.addEventListener('vite:preloadError', (event) => {
  if (Date.now() - Number(sessionStorage.getItem('reloaded') ?? 0) < 30_000) return;
  sessionStorage.setItem('reloaded', String(Date.now()));
  event.preventDefault();
  window.location.reload();
});

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root.');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
