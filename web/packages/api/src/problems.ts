/** A refused or failed call, as the API describes it. */
export class ApiProblem extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    readonly requestId: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
    this.name = "ApiProblem";
  }

  /** Messages of a form's fields, by the name of the field. */
  get fields(): Record<string, string[]> {
    const found = this.details.fields;
    if (typeof found !== "object" || found === null) return {};
    return Object.fromEntries(
      Object.entries(found).map(([name, texts]) => [name, (Array.isArray(texts) ? texts : [texts]).flatMap((text) => String(text).split("; "))]),
    );
  }

  /** Several reasons of one refusal. */
  get reasons(): { code: string; message: string }[] {
    const found = this.details.reasons;
    return Array.isArray(found) ? (found as { code: string; message: string }[]) : [];
  }
}

interface ErrorBody {
  error?: { code: string; message: string; details?: Record<string, unknown> };
  meta?: { request_id: string };
}

/** Build the problem of a response that is not a success. */
export function problemOf(body: unknown, response: Response): ApiProblem {
  const { error, meta } = (typeof body === "object" && body !== null ? body : {}) as ErrorBody;
  return new ApiProblem(
    error?.code ?? "INTERNAL_ERROR",
    error?.message ?? response.statusText,
    response.status,
    meta?.request_id ?? response.headers.get("X-Request-ID") ?? "",
    error?.details ?? {},
  );
}

/** The gateway could not be reached: no connection, or the answer took too long. */
export function networkProblem(cause: unknown): ApiProblem {
  return new ApiProblem("NETWORK", cause instanceof Error ? cause.message : String(cause), 0, "");
}

/** Whether somebody else has changed what was to be changed. */
export function isStale(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 412;
}

/** Whether a repetition of the same call can help. */
export function isTransient(error: unknown): boolean {
  return error instanceof ApiProblem && (error.status === 0 || error.status >= 502);
}
