import { FakeSocket } from './socket';
import { demoWorld, logLines } from './demo';
import { answer, makeWorld } from './server';
import { countsOf } from './make';

/*
 * Starts the product against the fake server, for looking at pages: `npm run fake`.
 * ?fake=empty | error | hang | signed-out | broken chooses what the server is like; the choice stays for the tab.
 */

const asked = new URL(window.location.href).searchParams.get('fake');
if (asked !== null) sessionStorage.setItem('fake', asked);
const mode = sessionStorage.getItem('fake') ?? '';

const world = mode === 'empty' ? makeWorld() : demoWorld();
if (mode === 'signed-out') world.me = null;
if (mode === 'hang') world.hang = ['GET /api/v1/pipelines', 'GET /api/v1/runs', 'GET /api/v1/deployments'];
if (mode === 'error') {
  for (const start of ['GET /api/v1/pipelines', 'GET /api/v1/runs', 'GET /api/v1/deployments']) {
    world.refuse[start] = { status: 503, title: 'The database is starting. This takes a few seconds.' };
  }
}

window.fetch = (input) => answer(world, input as Request);
Object.assign(window, { WebSocket: FakeSocket, world });

FakeSocket.onOpen = (socket) => {
  if (mode === 'broken') {
    setTimeout(() => socket.drop(), 50);
    return;
  }
  socket.onSend = ({ verb, kind, id }) => {
    if (verb === 'subscribe') socket.say({ type: 'subscribed', kind, id, seq: world.runs.find((run) => run.id === id)?.last_seq ?? 0 });
  };
  setTimeout(() => socket.accept(), 20);
};

/** The first run goes on: its running task writes lines, ends after a while, and the next begins. */
function move(): void {
  const run = world.runs[0];
  const tasks = run ? world.tasks[run.id] : undefined;
  const task = tasks?.find((each) => each.state === 'running');
  const attempt = task?.attempt;
  const log = attempt ? world.logs[attempt.id] : undefined;
  if (!run || !tasks || !attempt || !log) return;
  log.lines = logLines(log.lines.length + 3);
  FakeSocket.all.at(-1)?.say({ type: 'log', run: run.id, attempt: attempt.id, lines: log.lines.length });
  run.counts = countsOf(tasks);
}
if (mode === '') setInterval(move, 700);

await import('../main');
