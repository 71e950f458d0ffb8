import assert from "node:assert/strict";
import { render } from "shared/email/render.ts";
import { trackerOf } from "shared/email/tracking.ts";
import { createTestServices } from "../../support/services.ts";

const document = {
  subject: "News",
  blocks: [
    {
      type: "paragraph",
      text: "See [this](https://nexus.test/this) and [that](https://nexus.test/that).",
    },
    { type: "button", text: "On", link: "https://nexus.test/on" },
    {
      type: "image",
      url: "https://nexus.test/a.png",
      alt: "A",
      link: "https://nexus.test/picture",
    },
  ],
};

const links = ["https://nexus.test/on", "https://nexus.test/picture", "https://nexus.test/this"];

function mailed(tracking?: { token: string; links: string[]; opens: boolean }) {
  const { services: { config } } = createTestServices();
  return render({
    template: "newsletters.issue",
    locale: "en",
    sender: "Club",
    data: {},
    document,
    tracker: tracking && trackerOf(config, tracking),
  });
}

const hrefs = (html: string) =>
  [...html.matchAll(/href="([^"]+)"/g)].map(([, url]) => url!.replaceAll("&amp;", "&"));

Deno.test("links that are counted lead by way of ours, each by its place; others as written", () => {
  const { html, text } = mailed({ token: "a.b", links, opens: false });
  const found = hrefs(html);
  assert.deepEqual(
    found.map((url) => new URL(url).searchParams.get("link")),
    ["2", null, "0", "1"],
  );
  assert.equal(found[1], "https://nexus.test/that");
  assert.ok(found[0]!.includes("/functions/v1/api/v1/newsletters/click?token=a.b&link=2"));
  assert.ok(text.includes("this (https://nexus.test/this)"), "text is as it was written");
  assert.equal(html.match(/<img/g)!.length, 1, "nor is there a picture of ours");
});

Deno.test("there is a picture of ours where opening may be noted, and no trace without tracking", () => {
  const { html } = mailed({ token: "a.b", links, opens: true });
  assert.match(html, /<img src="[^"]+\/v1\/newsletters\/open\?token=a\.b" alt="" width="1"/);
  assert.deepEqual(hrefs(mailed().html), [
    "https://nexus.test/this",
    "https://nexus.test/that",
    "https://nexus.test/on",
    "https://nexus.test/picture",
  ]);
});
