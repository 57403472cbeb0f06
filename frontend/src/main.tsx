import '@fontsource-variable/inter';
import './ui/tokens.css';
import './ui/looks.css';
import './ui/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './router/App';
import { applyTheme } from './ui/theme';

applyTheme();
const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root.');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
