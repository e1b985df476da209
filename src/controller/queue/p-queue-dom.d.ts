// p-queue's types refer to this DOM type, and edict does not load the DOM library.
interface AddEventListenerOptions extends EventListenerOptions {
  once?: boolean;
  passive?: boolean;
  signal?: AbortSignal;
}
