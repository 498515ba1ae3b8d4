// Starts the page.
import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import './style.css';

const host = document.getElementById('page');
if (host) createRoot(host).render(<App />);
