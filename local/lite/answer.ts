/** What a client is told of a failure. */
export interface Answer {
  status: number;
  code: string;
  message: string;
  details?: string | undefined;
  hint?: string | undefined;
}

/** An error by which lite answers exactly this: it carries status and body, as SQL may with `PGRST`. */
export function answerWith({ status, code, message, details, hint }: Answer): Error {
  const body = { code, message, details: details ?? null, hint: hint ?? null };
  const headers = {
    "Proxy-Status": `PostgREST; error=${code}`,
    ...(status === 401 && { "WWW-Authenticate": "Bearer" }),
    ...(status === 503 && { "Retry-After": "1" }),
  };
  return Object.assign(new Error(message), {
    code: "PGRST",
    message: JSON.stringify(body),
    detail: JSON.stringify({ status, headers }),
  });
}
