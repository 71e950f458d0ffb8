import type { Channel } from "./channel.ts";
import { Refusal } from "./refusal.ts";

/** Throws why a join is refused whoever asks: by its name, by the limits, by what is not served. */
export function admit({ hub, name, request, transport }: Channel): void {
  const { limits, rates } = hub;
  if (name === "") throw new Refusal("TopicNameRequired", "You must provide a topic name");
  if (rates.joins.exceeded) {
    throw new Refusal("ClientJoinRateLimitReached", "Too many joins per second");
  }
  rates.joins.add();
  if (transport.channelCount > limits.channelsPerConnection) {
    throw new Refusal("ChannelRateLimitReached", "Too many channels");
  }
  if (request.replay !== undefined && !request.isPrivate) {
    throw new Refusal("UnableToReplayMessages", "Replay is not allowed for public channels");
  }
}
