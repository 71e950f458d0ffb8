/** One value of a metric, with the labels that tell it from its siblings. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

export interface Metric {
  name: string;
  kind: "counter" | "gauge" | "histogram";
  help: string;
  /** A histogram's samples name their own suffix. */
  samples: (Sample & { suffix?: string })[];
}

interface RequestOutcome {
  method: string;
  route: string;
  status: number;
  seconds: number;
}

/** Seconds; the bounds lie around the promises on latency (300 ms, 500 ms) and the time limits. */
const bounds = [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10];

interface Series extends Omit<RequestOutcome, "seconds"> {
  buckets: number[];
  count: number;
  sum: number;
}

/**
 * What this isolate has served. Isolates come and go and share nothing, so each gives its own counts
 * under a label of its own; sums over `isolate` are the whole as far as it was scraped.
 */
export class Metrics {
  readonly #series = new Map<string, Series>();
  readonly #providers = new Map<string, { provider: string; outcome: string; count: number }>();
  readonly #labels: Record<string, string>;

  constructor(name: string) {
    this.#labels = { function: name, isolate: crypto.randomUUID().slice(0, 8) };
  }

  request({ method, route, status, seconds }: RequestOutcome): void {
    const key = `${method} ${route} ${status}`;
    const series = this.#series.get(key) ??
      { method, route, status, buckets: bounds.map(() => 0), count: 0, sum: 0 };
    this.#series.set(key, series);
    series.count++;
    series.sum += seconds;
    bounds.forEach((bound, index) => {
      if (seconds <= bound) series.buckets[index]!++;
    });
  }

  /** A call of a provider, tries and all: the status it ended with, or why there is none. */
  providerCall(provider: string, outcome: string): void {
    const key = `${provider} ${outcome}`;
    const calls = this.#providers.get(key) ?? { provider, outcome, count: 0 };
    this.#providers.set(key, { ...calls, count: calls.count + 1 });
  }

  read(): Metric[] {
    const series = [...this.#series.values()];
    const labels = ({ method, route, status }: Series) => ({
      ...this.#labels,
      method,
      route,
      status: String(status),
    });
    return [{
      name: "http_requests_total",
      kind: "counter",
      help: "Requests answered by this isolate.",
      samples: series.map((one) => ({ labels: labels(one), value: one.count })),
    }, {
      name: "http_request_duration_seconds",
      kind: "histogram",
      help: "Time from request to answer in this isolate.",
      samples: series.flatMap((one) => histogram(one, labels(one))),
    }, {
      name: "provider_calls_total",
      kind: "counter",
      help: "Calls of outside providers by this isolate, by outcome.",
      samples: [...this.#providers.values()].map(({ provider, outcome, count }) => ({
        labels: { ...this.#labels, provider, outcome },
        value: count,
      })),
    }];
  }
}

function histogram({ buckets, count, sum }: Series, labels: Record<string, string>) {
  return [
    ...bounds.map((bound, index) => ({
      suffix: "_bucket",
      labels: { ...labels, le: String(bound) },
      value: buckets[index]!,
    })),
    { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: count },
    { suffix: "_sum", labels, value: sum },
    { suffix: "_count", labels, value: count },
  ];
}

const escape = (text: string) =>
  text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');

function line(name: string, { labels, value, suffix = "" }: Metric["samples"][number]): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escape(text)}"`);
  return `${name}${suffix}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}`;
}

/** Prometheus text format 0.0.4. */
export const renderMetrics = (metrics: Metric[]): string =>
  metrics.map(({ name, kind, help, samples }) =>
    [
      `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
      `# TYPE ${name} ${kind}`,
      ...samples.map((sample) => line(name, sample)),
    ].join("\n") + "\n"
  ).join("");
