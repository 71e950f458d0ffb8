import { type Attributes, SpanStatusCode, trace } from "@opentelemetry/api";

/**
 * Spans and the W3C trace context. Deno exports spans itself where OTEL_DENO is set, and samples
 * them by OTEL_TRACES_SAMPLER; elsewhere (hosted edge functions) a span costs nothing and shows
 * nowhere, and the trace id still joins our log lines, the caller's and the database's.
 */

const tracer = trace.getTracer("nexus");

/** Does the work within a span, which ends with it and tells whether it failed. */
export function span<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, { attributes }, async (current) => {
    try {
      return await work();
    } catch (error) {
      current.setStatus({ code: SpanStatusCode.ERROR });
      // The error's class only: its message may carry what people wrote.
      current.setAttribute("error.type", error instanceof Error ? error.name : typeof error);
      throw error;
    } finally {
      current.end();
    }
  });
}

/** Does a request's work within the span that the runtime opened for it, or within one of our own. */
export function requestSpan<T>(work: () => Promise<T>): Promise<T> {
  return trace.getActiveSpan() ? work() : span("request", {}, work);
}

/** Names the active span, once it is known what it is about. */
export function describeSpan(name: string, attributes: Attributes): void {
  trace.getActiveSpan()?.updateName(name).setAttributes(attributes);
}

export interface TraceContext {
  traceId: string;
  /** The header to send on; none where the runtime adds its own to what it fetches. */
  traceparent?: string;
}

const traceparent =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})/;

const randomHex = (bytes: number) =>
  [...crypto.getRandomValues(new Uint8Array(bytes))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** The trace that a request belongs to: the runtime's span, else the caller's header, else a new one. */
export function traceOf(header: string | undefined): TraceContext {
  const active = trace.getActiveSpan()?.spanContext();
  if (active && /[1-9a-f]/.test(active.traceId)) return { traceId: active.traceId };
  const [, traceId = randomHex(16), flags = "00"] = traceparent.exec(header ?? "") ?? [];
  return { traceId, traceparent: `00-${traceId}-${randomHex(8)}-${flags}` };
}
