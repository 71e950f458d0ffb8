import assert from "node:assert/strict";
import { addressBlock, isPublicAddress } from "shared/http/addresses.ts";

Deno.test("an IPv4 address counts for itself, an IPv6 one with its /64", () => {
  assert.equal(addressBlock("203.0.113.7"), "203.0.113.7");
  assert.equal(addressBlock("::ffff:203.0.113.7"), "203.0.113.7");
  assert.equal(addressBlock("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assert.equal(addressBlock("2001:DB8:1:2::9"), "2001:db8:1:2::/64");
  assert.notEqual(addressBlock("2001:db8:1:3::9"), addressBlock("2001:db8:1:2::9"));
  assert.equal(addressBlock("unknown"), "unknown");
});

Deno.test("addresses of the public Internet are public", () => {
  for (const address of ["1.1.1.1", "172.15.0.1", "172.32.0.1", "192.167.1.1", "223.255.255.1"]) {
    assert.ok(isPublicAddress(address), address);
  }
  for (const address of ["2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888"]) {
    assert.ok(isPublicAddress(address), address);
  }
});

Deno.test("Z7: private, loopback, link-local, mapped and tunnelling addresses are not", () => {
  const inner = [
    ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.9.9.9", "169.254.169.254"],
    ...[
      "172.16.0.1",
      "172.31.255.255",
      "192.168.1.1",
      "198.18.0.1",
      "224.0.0.1",
      "255.255.255.255",
    ],
    ...["::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "fe80::1", "fc00::1"],
    ...["fd12:3456::1", "ff02::1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1", "2001:db8::1"],
    ...["localhost", "", "1.1.1"],
  ];
  for (const address of inner) assert.ok(!isPublicAddress(address), address);
});
