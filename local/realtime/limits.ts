/** What one project may ask of Realtime. Times in milliseconds, sizes in bytes. */
export interface Limits {
  connections: number;
  channelsPerConnection: number;
  joinsPerSecond: number;
  /** Broadcasts received plus broadcasts delivered. */
  eventsPerSecond: number;
  presenceEventsPerSecond: number;
  /** Presence calls of one channel in one window. */
  presenceCalls: number;
  presenceWindow: number;
  payloadBytes: number;
  frameBytes: number;
  /** Frames of one connection waiting to be handled, or to be taken by a slow client. */
  bufferedBytes: number;
  /** A client that sends nothing for so long, not even a heartbeat, is gone. */
  idleTimeout: number;
  /** A token is looked at again after so long, or when it expires. */
  tokenCheck: number;
  /** A second new token within so long is held until the time is over. */
  tokenThrottle: number;
  /** How long the policies of `realtime.messages` may think. */
  policyTimeout: number;
  /** Policy checks waiting for a database connection. */
  policyQueue: number;
  replicationReady: number;
}

/** Hosted's numbers: its server's defaults, and those of the Pro plan where the plan decides. */
export const hostedLimits: Limits = {
  connections: 500,
  channelsPerConnection: 100,
  joinsPerSecond: 500,
  eventsPerSecond: 500,
  presenceEventsPerSecond: 1000,
  presenceCalls: 5,
  presenceWindow: 30_000,
  payloadBytes: 3_000_000,
  frameBytes: 5_000_000,
  bufferedBytes: 50_000_000,
  idleTimeout: 60_000,
  tokenCheck: 5 * 60_000,
  tokenThrottle: 10_000,
  policyTimeout: 3_000,
  policyQueue: 500,
  replicationReady: 10_000,
};

const seconds = 60;

/** Counts events as hosted does, by their average over the last minute: a short burst passes. */
export class Rate {
  readonly #counts: number[] = new Array(seconds).fill(0);
  #second = 0;
  #sum = 0;

  constructor(readonly perSecond: number, readonly now: () => number = Date.now) {}

  add(events = 1): void {
    this.#forget();
    this.#counts[this.#second % seconds]! += events;
    this.#sum += events;
  }

  get average(): number {
    this.#forget();
    return this.#sum / seconds;
  }

  get exceeded(): boolean {
    return this.average > this.perSecond;
  }

  #forget(): void {
    const second = Math.floor(this.now() / 1000);
    const from = Math.max(this.#second + 1, second - seconds + 1);
    for (let old = from; old <= second; old++) {
      this.#sum -= this.#counts[old % seconds]!;
      this.#counts[old % seconds] = 0;
    }
    this.#second = second;
  }
}

/** The rates all connections share. */
export interface Rates {
  joins: Rate;
  events: Rate;
  presence: Rate;
}

export function ratesOf(limits: Limits): Rates {
  return {
    joins: new Rate(limits.joinsPerSecond),
    events: new Rate(limits.eventsPerSecond),
    presence: new Rate(limits.presenceEventsPerSecond),
  };
}
