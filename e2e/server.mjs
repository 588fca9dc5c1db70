// The executable, on a folder that is gone afterwards.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_MS_MAX = 30_000;

export async function startServer(binary) {
  const folder = mkdtempSync(join(tmpdir(), "plinth-e2e-"));
  const log = join(folder, "log");
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PLINTH_")));
  const child = spawn(binary, ["serve", "--listen", "127.0.0.1:0", "--data", join(folder, "data")], {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", openSync(log, "a")],
  });
  const ended = new Promise((done) => child.once("exit", (code, signal) => done({ code, signal })));
  const printed = await readUntil(child, ended, "Set up", log);
  const line = (name) => printed.match(new RegExp(`^${name}\\s+(\\S+)`, "m"))[1];
  return {
    base: new URL(line("Site")).origin,
    setupLink: line("Set up"),
    console: line("Console"),
    log: () => readFileSync(log, "utf8"),
    async stop() {
      child.kill("SIGTERM");
      const { code } = await ended;
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}

function readUntil(child, ended, word, log) {
  return new Promise((done, failed) => {
    let printed = "";
    const give = (why) => failed(new Error(`${why}\n${printed}\n${readFileSync(log, "utf8")}`));
    const timer = setTimeout(() => give("the server did not start"), START_MS_MAX);
    ended.then(() => give("the server ended"));
    child.stdout.on("data", (bytes) => {
      printed += bytes;
      if (new RegExp(`^${word}.*\n`, "m").test(printed)) {
        clearTimeout(timer);
        done(printed);
      }
    });
  });
}
