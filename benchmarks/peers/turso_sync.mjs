// @tursodatabase/sync as its users run it, driven by lines on standard input: `fill`, `pull`, `open`,
// `get`, `count`, `value`, `partial`. Each answers one line of JSON; times are of the work alone.
import readline from 'node:readline';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// Its packages are installed outside of this folder: the first argument says where.
const require = createRequire(process.argv[2] + '/');
const { connect } = await import(pathToFileURL(require.resolve('@tursodatabase/sync')));

const KEYS_READ = 1000;

let database = null;
let keys = []; // of the episodes, once asked for

async function timed(work) {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

async function count(table = 'episodes') {
  const statement = await database.prepare(`SELECT count(*) AS n FROM ${table}`);
  return (await statement.get()).n;
}

async function close() {
  if (database !== null) await database.close();
  database = null;
  keys = [];
}

// A fresh replica, and what has changed since.
async function fill(url, path) {
  await close();
  const seconds = await timed(async () => {
    database = await connect({ path, url });
    await database.pull();
  });
  return { seconds, rows: await count() };
}

// One column of one episode at a time, by key, from all over the replica, again and again.
async function get(reads) {
  if (keys.length === 0) {
    const all = await (await database.prepare('SELECT episode_id FROM episodes')).all();
    keys = all.map((row) => row.episode_id);
  }
  const statement = await database.prepare('SELECT context FROM episodes WHERE episode_id = ?');
  const step = Math.floor(keys.length / KEYS_READ);
  let bytes = 0;
  const seconds = await timed(async () => {
    for (let read = 0; read < reads; ++read) {
      bytes += (await statement.get(keys[(read % KEYS_READ) * step])).context.length;
    }
  });
  return { seconds, bytes };
}

async function value(key) {
  const statement = await database.prepare('SELECT task_type FROM episodes WHERE episode_id = ?');
  return { value: (await statement.get(key))?.task_type ?? null };
}

// A replica that starts with the pages of a window, as far as the package offers one.
async function partial(url, path, rows) {
  await close();
  const query = `SELECT * FROM episodes ORDER BY start_time DESC LIMIT ${rows}`;
  const partialSyncExperimental = { bootstrapStrategy: { kind: 'query', query } };
  database = await connect({ path, url, partialSyncExperimental });
  const bytes = (await database.stats()).networkReceivedBytes;
  return { bytes, rows: await count() };
}

const commands = {
  fill, get, value, partial,
  // The replica in a process that does not sync.
  open: async (path) => { database = await connect({ path }); return { rows: await count() }; },
  pull: async () => ({ seconds: await timed(() => database.pull()) }),
  count: async (table) => ({ rows: await count(table) }),
  close: async () => { await close(); return {}; },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [name, ...words] = line.split(' ');
  try {
    console.log(JSON.stringify(await commands[name](...words)));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.message ?? error) }));
  }
}
