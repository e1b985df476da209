// Made by `npm run generate` from src/ui/. Do not edit.
/** Reads the server-sent events of an answer until it ends, and calls `onEvent` with the name and data of each. */
export async function readEvents(body, onEvent) {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    // An event with ten thousand cells comes in many pieces, which are joined once.
    let pieces = [];
    for (;;) {
        const { value, done } = await reader.read();
        if (done)
            return;
        const text = decoder.decode(value, { stream: true });
        pieces.push(text);
        // The end of an event may be split over two pieces.
        if (!`${pieces.at(-2)?.slice(-1) ?? ''}${text}`.includes('\n\n'))
            continue;
        const blocks = pieces.join('').split('\n\n');
        pieces = [blocks.pop() ?? ''];
        for (const block of blocks) {
            const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
            if (name !== undefined && data !== undefined)
                onEvent(name, data);
        }
    }
}
