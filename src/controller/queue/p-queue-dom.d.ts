// p-queue's types name this type of the browsers' library, which edict does not load.
interface AddEventListenerOptions extends EventListenerOptions {
  once?: boolean;
  passive?: boolean;
  signal?: AbortSignal;
}
