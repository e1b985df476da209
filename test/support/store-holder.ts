/** A process that opens the store of its first argument for writing, prints `open` and holds it until its stdin ends. */
import { openStore } from '../../src/store/open.ts';

const store = await openStore({ url: process.argv[2] ?? '', isEmulated: false });
process.stdout.write('open\n');
for await (const _ of process.stdin);
await store.close();
