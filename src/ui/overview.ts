import type { components } from '../../generated/edict-api.d.ts';
import { fetchJson } from './client.ts';
import { byId, element, setText, setTitle } from './element.ts';

type Schemas = components['schemas'];

/*
 * The first page of a daemon with several files: lists them, each with a link to its page.
 */

/** How often the list is read again, in milliseconds. */
const refreshMs = 5000;

/** Returns the table row of a file. */
export function fileRow({ path, page, headline, gateway, emulated }: Schemas['FileList']['files'][number]): HTMLElement {
  const name = gateway ? `${emulated ? 'emulated gateway in place of ' : ''}${gateway.endpoint}, instance ${gateway.instance}` : '';
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, element('a', { href: page }, path)),
    element('td', {}, headline),
    element('td', {}, name),
  );
}

async function showFiles(): Promise<void> {
  try {
    const { files } = await fetchJson<Schemas['FileList']>('/api/v1/files');
    const rows = element('tbody', {}, ...files.map(fileRow));
    // Only what has changed is replaced, so that the focus stays on its link.
    if (rows.innerHTML !== byId('files').innerHTML) byId('files').replaceChildren(...rows.childNodes);
    setTitle(document, `edict: ${files.length} files`);
    setText(byId('connection'), '');
  } catch (error) {
    setText(byId('connection'), `connection lost: ${error instanceof Error ? error.message : error}`);
  }
  setTimeout(() => void showFiles(), refreshMs);
}

void showFiles();
