import type { components } from '../../generated/edict-api.d.ts';
import { element } from './element.ts';

type Schemas = components['schemas'];

/** The token for reading lives as long as the tab: nothing of it is in an address, in a cookie, or on the disk. */
const storageKey = 'edict.token';

/** The open question for the token, which all requests wait for that need it. */
let question: Promise<void> | null = null;

/**
 * Sends a request to the daemon. If the daemon wants a token, asks the user for it and sends the request again.
 *
 * @throws an Error with the daemon's message if it rejects the request
 */
export async function request(path: string, signal: AbortSignal | null = null): Promise<Response> {
  for (;;) {
    const token = sessionStorage.getItem(storageKey);
    const response = await fetch(path, { signal, headers: token === null ? {} : { authorization: `Bearer ${token}` } });
    if (response.ok) return response;
    const message = await errorOf(response);
    if (response.status !== 401) throw new Error(message);
    // Another request may have got a new token meanwhile.
    if (token !== sessionStorage.getItem(storageKey)) continue;
    question ??= askForToken(token === null ? 'Reading this page needs a token.' : 'The token is wrong.').finally(() => {
      question = null;
    });
    await question;
  }
}

/** Returns the JSON that a path answers with. Throws an Error with the daemon's message if it rejects the request. */
export async function fetchJson<T>(path: string): Promise<T> {
  return (await (await request(path)).json()) as T;
}

async function errorOf(response: Response): Promise<string> {
  try {
    return ((await response.json()) as Schemas['Failed']).error.message;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}

/** Asks until a token is given, and keeps it for this tab. */
function askForToken(reason: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const input = element('input', { id: 'token', type: 'password', autocomplete: 'off', required: true, spellcheck: 'false' });
  const submit = (event: Event): void => {
    event.preventDefault();
    // A header holds visible characters only.
    const token = input.value.replaceAll(/[^\x21-\x7e]/g, '');
    input.value = '';
    if (token === '') return;
    sessionStorage.setItem(storageKey, token);
    dialog.remove();
    resolve();
  };
  const dialog = element(
    'dialog',
    { class: 'token', 'aria-labelledby': 'token-title', oncancel: (event) => event.preventDefault() },
    element('h2', { id: 'token-title' }, reason),
    element(
      'form',
      { onsubmit: submit },
      element('label', { for: 'token' }, 'Token'),
      input,
      element('button', { type: 'submit' }, 'Continue'),
      element('p', { class: 'quiet' }, 'It is the daemon’s EDICT_READ_TOKEN, and is kept until this tab is closed.'),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}
