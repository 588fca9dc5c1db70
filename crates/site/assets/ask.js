// The chat card. The server's markup works alone (a form that leads to /ask); this file makes it live:
// a streamed answer with citations, stop, retry, copy, and a conversation that survives a reload.
const API = "/v1/assistant/chat";
const RECONNECTS_MAX = 4;
const RECONNECT_AFTER_MS = 400;

const card = document.querySelector("[data-ask]");
const part = (name) => card.querySelector(`[data-${name}]`);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

// What is kept for the tab: the conversation's id, and the question that is being answered.
const kept = {
  read(name) { try { return sessionStorage.getItem(`ask-${name}`); } catch { return null; } },
  write(name, value) {
    try {
      if (value === null) sessionStorage.removeItem(`ask-${name}`);
      else sessionStorage.setItem(`ask-${name}`, value);
    } catch { /* Without storage the conversation lasts as long as the page. */ }
  },
};

let chat = kept.read("id");
let run = null;
let leaving = false;

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `web-${[...bytes].map((b) => b.toString(16).padStart(2, "0")).join("")}`;
}

// --- One question and its answer -------------------------------------------------------------

class Turn {
  constructor(question) {
    this.question = question;
    this.restart();
    this.root = make("article", "turn");
    this.body = make("div", "a");
    this.root.append(make("h3", "q", question), this.body);
    part("log").append(this.root);
  }

  restart() {
    this.seq = 0;
    this.text = "";
    this.sources = new Map();
    this.spans = [];
    this.over = false;
    this.failed = "";
    this.meta = {};
    this.aside = "";
  }

  take(frame) {
    switch (frame.type) {
      case "source-url": {
        const n = frame.providerMetadata?.plinth?.n ?? this.sources.size + 1;
        this.sources.set(n, { url: frame.url, title: frame.title ?? frame.url });
        break;
      }
      case "text-delta": this.text += frame.delta; break;
      case "data-citation": this.spans.push(frame.data); break;
      case "data-suggestions": suggest(frame.data); break;
      case "data-status":
        if (frame.data?.phase === "degraded") this.aside = "Answered from the site's own text.";
        break;
      case "error": this.failed = frame.errorText?.replace(/^[a-z_]+: /, "") || "The answer broke off."; break;
      case "abort": this.aside = "Stopped."; break;
      case "finish": this.over = true; this.meta = frame.messageMetadata ?? {}; break;
    }
    this.draw();
  }

  // A finished answer from the transcript.
  recall({ text, sources = [], citations = [], suggestions, refused, failure, finish_reason: reason }) {
    this.text = text;
    this.sources = new Map(sources.map((source) => [source.n, source]));
    this.spans = citations;
    this.meta = { refused };
    this.failed = failure ? "The answer broke off." : "";
    this.aside = reason === "other" ? "Stopped." : "";
    this.over = true;
    suggest(suggestions);
    this.paint();
  }

  // Text with a marker wherever a passage is cited, whether or not the text carries markers itself.
  marked() {
    if (/\[\d+\]/.test(this.text)) return this.text;
    return [...this.spans]
      .filter((span) => Array.isArray(span?.answer))
      .sort((a, b) => b.answer[1] - a.answer[1])
      .reduce((text, { n, answer: [, end] }) => `${text.slice(0, end)} [${n}]${text.slice(end)}`, this.text);
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    const log = part("log");
    const pinned = log.scrollHeight - log.scrollTop - log.clientHeight < 48;
    const cited = new Set();
    this.body.replaceChildren(...this.blocks(cited));
    this.body.classList.toggle("streaming", !this.over && !this.failed);
    this.root.querySelectorAll(".sources, .aside, .failed, .turn-tools").forEach((node) => node.remove());
    if (cited.size) this.root.append(this.sourceList(cited));
    if (this.failed) {
      const line = make("p", "failed", `${this.failed} `);
      line.setAttribute("role", "alert");
      this.root.append(line);
    } else if (this.over && this.meta.refused && !cited.size) {
      const line = make("p", "aside");
      const link = make("a", "", "Ask directly");
      link.href = "/contact";
      line.append("No passage was quoted for this. ", link, ".");
      this.root.append(line);
    } else if (this.aside) this.root.append(make("p", "aside", this.aside));
    if (this.over || this.failed) this.root.append(this.tools());
    if (pinned) log.scrollTop = log.scrollHeight;
  }

  blocks(cited) {
    const out = [];
    for (const line of this.marked().split("\n").map((l) => l.trim()).filter(Boolean)) {
      const item = /^[-•] /.test(line);
      let home = out.at(-1);
      if (item && home?.tagName !== "UL") out.push((home = make("ul")));
      const node = make(item ? "li" : "p");
      node.append(...this.inline(item ? line.slice(2) : line, cited));
      if (item) home.append(node);
      else out.push(node);
    }
    return out;
  }

  inline(line, cited) {
    return line.split(/(\[\d+\])/).filter(Boolean).map((piece) => {
      const n = Number(piece.match(/^\[(\d+)\]$/)?.[1]);
      const source = this.sources.get(n);
      if (!source) return n ? "" : piece;
      cited.add(n);
      const link = make("a", "cite", n);
      link.href = source.url;
      link.title = source.title;
      return link;
    });
  }

  sourceList(cited) {
    const list = make("ol", "sources");
    list.setAttribute("aria-label", "Sources");
    for (const n of [...cited].sort((a, b) => a - b)) {
      const item = make("li");
      const link = make("a", "", this.sources.get(n).title.replaceAll(/ (>|›|·) /g, " / "));
      item.value = n;
      link.href = this.sources.get(n).url;
      item.append(link);
      list.append(item);
    }
    return list;
  }

  tools() {
    const row = make("p", "turn-tools");
    if (this.text) {
      const copy = make("button", "plain", "Copy");
      copy.type = "button";
      copy.onclick = async () => {
        const done = await navigator.clipboard?.writeText(this.text.replace(/ ?\[\d+\]/g, "")).then(() => true, () => false);
        copy.textContent = done ? "Copied" : "Copy is not allowed";
        say(copy.textContent);
      };
      row.append(copy);
    }
    if (this.failed || this.aside === "Stopped.") {
      const retry = make("button", "plain", "Try again");
      retry.type = "button";
      retry.onclick = () => { this.root.remove(); ask(this.question); };
      row.append(retry);
    }
    return row;
  }
}

// --- The stream ------------------------------------------------------------------------------

// Frames are separated by a blank line; a comment line (the heartbeat) begins with a colon.
async function* frames(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
      rest = parts.pop();
      for (const text of parts) {
        let seq = null;
        let data = "";
        for (const line of text.split("\n")) {
          if (line.startsWith("id:")) seq = Number(line.slice(3));
          else if (line.startsWith("data:")) data += line.slice(5).trimStart();
        }
        if (data) yield { seq, data };
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

// Reads to the end. True when the stream said that it was over; a connection that merely ends did not.
async function follow(turn, response) {
  for await (const { seq, data } of frames(response.body)) {
    if (data === "[DONE]") return true;
    if (seq !== null) {
      if (seq <= turn.seq) continue;
      turn.seq = seq;
    }
    const frame = JSON.parse(data);
    if (frame.type === "start") turn.runId = frame.messageMetadata?.run_id;
    turn.take(frame);
  }
  return turn.over;
}

async function stream(turn, first, signal) {
  let response = first;
  for (let attempt = 0; ; attempt += 1) {
    const over = response && (await follow(turn, response).catch((error) => {
      if (signal.aborted) throw error;
      return false;
    }));
    if (over) return;
    if (attempt >= RECONNECTS_MAX) throw new Error("The connection was lost.");
    await pause(RECONNECT_AFTER_MS * 2 ** attempt);
    // Naming the run makes a finished one come back, too: its end may be all that was missed.
    const which = turn.runId ? `&run=${turn.runId}` : "";
    response = await fetch(`${API}/${chat}/stream?after=${turn.seq}${which}`, { signal }).catch(() => null);
    if (response?.status === 204) throw new Error("The answer broke off and is no longer there.");
    if (response && !response.ok) throw new Error(await reason(response));
  }
}

async function reason(response) {
  const problem = await response.json().catch(() => ({}));
  const seconds = Number(response.headers.get("retry-after"));
  if (response.status === 429) return `That was many questions at once. ${seconds ? `Please wait ${seconds} s.` : "Please wait a moment."}`;
  return problem.detail ?? "The assistant cannot be reached at the moment.";
}

// --- What the reader does --------------------------------------------------------------------

function say(text) { part("status").textContent = text; }

function busy(on) {
  part("log").setAttribute("aria-busy", String(on));
  part("send").hidden = on;
  part("stop").hidden = !on;
  card.classList.toggle("busy", on);
}

function suggest(questions) {
  if (!Array.isArray(questions) || !questions.length) return;
  part("chips").replaceChildren(...questions.slice(0, 3).map((question) => {
    const item = make("li");
    const link = make("a", "chip", question);
    link.href = `/ask?q=${encodeURIComponent(question)}`;
    item.append(link);
    return item;
  }));
}

async function answer(turn, open) {
  const control = new AbortController();
  run = { turn, control };
  busy(true);
  say("Answering");
  turn.paint();
  turn.root.scrollIntoView({ block: "nearest" });
  try {
    const response = await open(control.signal);
    if (response.status === 204) return turn.root.remove();
    if (!response.ok && response.status !== 409) throw new Error(await reason(response));
    // 409: another tab is asking in this conversation; its answer is the one to show.
    await stream(turn, response.ok ? response : null, control.signal);
    turn.paint();
    const count = turn.root.querySelectorAll(".sources li").length;
    say(turn.failed ? "The answer failed" : `Answer ready${count ? `, ${count} source${count > 1 ? "s" : ""}` : ""}`);
  } catch (error) {
    if (control.signal.aborted) { turn.aside = "Stopped."; turn.over = true; say("Stopped"); }
    else { turn.failed = error instanceof TypeError ? "The server could not be reached." : error.message; say("The answer failed"); }
  } finally {
    // Leaving the page ends the connection, not the question: the next page takes it up.
    if (!leaving) kept.write("question", null);
    run = null;
    busy(false);
    turn.paint();
  }
}

function ask(question) {
  if (run || !question.trim()) return;
  card.querySelector("[data-example]")?.remove();
  chat ??= newId();
  kept.write("id", chat);
  kept.write("question", question);
  const key = newId();
  answer(new Turn(question), (signal) => fetch(API, {
    method: "POST",
    signal,
    headers: { "content-type": "application/json", accept: "text/event-stream", "idempotency-key": key },
    body: JSON.stringify({ id: chat, message: question, page: card.dataset.page }),
  }));
}

function stop() {
  if (!run) return;
  const { turn, control } = run;
  fetch(`${API}/${chat}/stop`, {
    method: "POST",
    keepalive: true,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(turn.runId ? { run_id: turn.runId } : {}),
  }).catch(() => {});
  control.abort();
}

// Earlier turns, and the answer that was under way when the page was left.
async function restore() {
  const pending = kept.read("question");
  const response = await fetch(`${API}/${chat}`, { headers: { accept: "application/json" } }).catch(() => null);
  if (response?.status === 404) {
    chat = null;
    return kept.write("id", null);
  }
  const { messages = [] } = response?.ok ? await response.json().catch(() => ({})) : {};
  if (messages.length) card.querySelector("[data-example]")?.remove();
  let turn = null;
  for (const message of messages) {
    if (message.role === "user") turn = new Turn(message.text);
    else if (turn && message.finish_reason !== null) {
      turn.recall(message);
      turn = null;
    }
  }
  part("log").scrollTop = part("log").scrollHeight;
  if (pending || turn) {
    answer(turn ?? new Turn(pending), (signal) => fetch(`${API}/${chat}/stream?after=0`, { signal }));
  }
}

if (card) {
  addEventListener("pagehide", () => { leaving = true; });
  addEventListener("pageshow", () => { leaving = false; });
  const composer = part("composer");
  const input = composer.elements.q;
  const submit = () => {
    const question = input.value.trim();
    if (run || !question) return;
    input.value = "";
    ask(question);
    input.focus({ preventScroll: true });
  };
  composer.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
  });
  card.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && run) { event.preventDefault(); stop(); input.focus({ preventScroll: true }); }
  });
  part("stop").addEventListener("click", () => { stop(); input.focus({ preventScroll: true }); });
  part("chips").addEventListener("click", (event) => {
    const chip = event.target.closest("a");
    if (!chip || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    ask(chip.textContent);
    input.focus({ preventScroll: true });
  });
  document.querySelectorAll('a[href="#ask"]').forEach((link) => link.addEventListener("click", () => input.focus()));
  if (chat && !card.querySelector(".turn:not([data-example])")) restore();
}
