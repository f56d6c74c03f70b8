/** `fetch` for answers of another party: no redirects, and no more bytes than any right answer has. */

const mostBytes = 1_048_576;

type Fetch = (url: string, options: RequestInit) => Promise<Response>;

export const boundedFetch: Fetch = async (url, options) => {
  const response = await fetch(url, { ...options, redirect: "manual" });
  const { status, statusText, headers } = response;
  return new Response(response.body?.pipeThrough(limit()) ?? null, { status, statusText, headers });
};

function limit(): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > mostBytes) controller.error(new TypeError("The answer is too long."));
      else controller.enqueue(chunk);
    },
  });
}
