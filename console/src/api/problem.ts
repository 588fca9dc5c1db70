import type { FieldError, ProblemBody } from "./models";

/** What went wrong with a call, whatever it was: the server's own problem, or one made here when there was no answer at all. */
export class ProblemError extends Error {
  readonly problem: ProblemBody;
  constructor(problem: ProblemBody) {
    super(problem.detail ?? problem.title);
    this.name = "ProblemError";
    this.problem = problem;
  }
  get code(): string {
    return this.problem.code;
  }
  get status(): number {
    return this.problem.status;
  }
}

/** Reads whatever came back with a non-2xx status. A proxy in between may answer with something that is no problem document. */
export function problemFrom(body: unknown, status: number, requestId: string | null): ProblemBody {
  if (isProblem(body)) return { ...body, request_id: body.request_id ?? requestId ?? undefined };
  return {
    title: status >= 500 ? "The server could not answer" : "The request was refused",
    status,
    code: `http_${status}`,
    detail: typeof body === "string" && body.length > 0 && body.length < 300 ? body : undefined,
    request_id: requestId ?? undefined,
    retryable: status === 429 || status >= 502,
  };
}

function isProblem(body: unknown): body is ProblemBody {
  return typeof body === "object" && body !== null && typeof (body as ProblemBody).code === "string" && typeof (body as ProblemBody).title === "string";
}

/** No answer: the server is down, restarting, or the network is. */
export function unreachable(): ProblemBody {
  return { title: "Plinth is not answering", status: 0, code: "unreachable", detail: "The connection failed before an answer came. It may be restarting.", retryable: true };
}

/** Anything thrown, as a problem to show. */
export function toProblem(error: unknown): ProblemBody {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof TypeError) return unreachable();
  return { title: "The console stumbled", status: 0, code: "console_error", detail: error instanceof Error ? error.message : String(error) };
}

/** The message for one input, by its place in the body: `/email`, `/fields/0/label`. */
export function fieldError(error: unknown, pointer: string): string | undefined {
  if (!(error instanceof ProblemError)) return undefined;
  return error.problem.errors?.find((e) => e.pointer === pointer)?.detail;
}

/** The errors that no shown input accounts for. */
export function otherErrors(error: unknown, shown: string[]): FieldError[] {
  if (!(error instanceof ProblemError)) return [];
  return (error.problem.errors ?? []).filter((e) => !e.pointer || !shown.includes(e.pointer));
}

/** Whether asking again could help: never for what we got wrong, always for what the server calls retryable. */
export function worthRetrying(failures: number, error: unknown): boolean {
  if (failures >= 2) return false;
  const problem = toProblem(error);
  return problem.retryable === true && problem.code !== "unreachable" ? true : problem.status >= 500;
}
