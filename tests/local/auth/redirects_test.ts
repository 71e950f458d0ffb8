import assert from "node:assert/strict";
import { isAllowed } from "../../../local/auth/redirects.ts";

const config = {
  siteUrl: "https://app.test",
  redirectUrls: ["https://*.preview.test/cb", "https://docs.test/**", "myapp://callback?"],
};

Deno.test("a link may lead to the site and to what the patterns allow", () => {
  for (
    const url of [
      "https://app.test/anywhere",
      "https://one.preview.test/cb",
      "https://one.preview.test/cb#fragment",
      "https://docs.test/a/b.html",
      "myapp://callback1",
    ]
  ) assert.equal(isAllowed(config, url), true, url);
});

Deno.test("a link may lead nowhere else", () => {
  for (
    const url of [
      "",
      null,
      "/relative",
      "http://app.test/",
      "https://app.test:8443/",
      "https://app.test.evil.test/",
      "https://one.two.preview.test/cb",
      "https://one.preview.test/cb/more",
      "https://10.0.0.1/",
      "https://2130706433.evil.test/",
      "\thttps://docs.test/a",
      "myapp://callback12",
      "javascript:alert(1)",
    ]
  ) assert.equal(isAllowed(config, url), false, String(url));
});

Deno.test("a site on this machine may be on any port, as apps on a desk are", () => {
  const local = { siteUrl: "http://127.0.0.1:3000", redirectUrls: [] };
  assert.equal(isAllowed(local, "http://127.0.0.1:5173/x"), true);
  assert.equal(isAllowed(local, "http://192.168.0.1:3000/x"), false);
});
