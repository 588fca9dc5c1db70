// A real small language model behind OpenAI's chat completions stream, for tests. Prints its port, then serves until it is
// ended. One request at a time, one thread: a test box has other things to do.
import { createServer } from "node:http";
import { getLlama, LlamaChatSession } from "node-llama-cpp";

const [modelPath] = process.argv.slice(2);
const llama = await getLlama({ build: "never", gpu: false, maxThreads: 1, logLevel: "error" });
const model = await llama.loadModel({ modelPath });

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}

async function complete(request, response) {
  const { messages, max_tokens: maxTokens = 128, stream_options: options } = await body(request);
  const text = (role) => messages.findLast((message) => message.role === role)?.content ?? "";
  const context = await model.createContext({ contextSize: 2048, threads: 1 });
  const session = new LlamaChatSession({ contextSequence: context.getSequence(), systemPrompt: text("system") });
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  const head = { id: "chatcmpl-test", object: "chat.completion.chunk", created: 0, model: "smollm2" };
  const send = (choices, more = {}) => response.write(`data: ${JSON.stringify({ ...head, choices, ...more })}\n\n`);
  const choice = (delta, finish_reason = null) => [{ index: 0, delta, finish_reason }];
  send(choice({ role: "assistant", content: "" }));
  try {
    const result = await session.promptWithMeta(text("user"), {
      maxTokens: Math.min(maxTokens, 96), temperature: 0, signal: gone.signal, stopOnAbortSignal: true,
      onTextChunk: (content) => send(choice({ content })),
    });
    send(choice({}, result.stopReason === "maxTokens" ? "length" : "stop"));
    if (options?.include_usage) {
      const { usedInputTokens = 0, usedOutputTokens = 0 } = session.sequence.tokenMeter ?? {};
      send([], { usage: { prompt_tokens: usedInputTokens, completion_tokens: usedOutputTokens } });
    }
    response.write("data: [DONE]\n\n");
  } catch (error) {
    send([], { error: { message: String(error), type: "server_error" } });
  }
  response.end();
  await context.dispose();
}

let last = Promise.resolve();
const server = createServer((request, response) => {
  if (request.method !== "POST" || request.url !== "/v1/chat/completions") {
    response.writeHead(404).end();
    return;
  }
  last = last.then(() => complete(request, response)).catch((error) => response.destroy(error));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
