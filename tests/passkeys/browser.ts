import type { Browser, CDPSession, Page } from "playwright-core";

/** A server of empty pages: what an app is to WebAuthn is its origin. */
export function servePages(): Deno.HttpServer<Deno.NetAddr> & AsyncDisposable {
  return Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () =>
      new Response("<!doctype html><title>App</title>", {
        headers: { "content-type": "text/html" },
      }),
  );
}

/** A page with an authenticator built in, which always agrees. */
export async function openPage(browser: Browser, origin: string) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(origin);
  const devtools = await context.newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { page, device: new Device(devtools, authenticatorId) };
}

/** The authenticator of a page, as DevTools shows and changes it. */
export class Device {
  constructor(readonly devtools: CDPSession, readonly authenticatorId: string) {}

  async credentials() {
    const { authenticatorId } = this;
    return (await this.devtools.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
  }

  /** Whether it recognises its user from now on. */
  async setVerified(isUserVerified: boolean) {
    const { authenticatorId } = this;
    await this.devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified });
  }

  /** What restoring an old copy of it does. */
  async rollBack(signCount: number) {
    const { authenticatorId } = this;
    const [credential] = await this.credentials();
    const { credentialId } = credential!;
    await this.devtools.send("WebAuthn.removeCredential", { authenticatorId, credentialId });
    await this.devtools.send("WebAuthn.addCredential", {
      authenticatorId,
      credential: { ...credential!, signCount },
    });
  }
}

/** What an app does with the options that it was answered, in its page. */
export const create = (page: Page, options: unknown): Promise<Record<string, unknown>> =>
  page.evaluate(`(async () => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(${JSON.stringify(options)});
    return (await navigator.credentials.create({ publicKey })).toJSON();
  })()`);

export const get = (page: Page, options: unknown): Promise<Record<string, unknown>> =>
  page.evaluate(`(async () => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(${JSON.stringify(options)});
    return (await navigator.credentials.get({ publicKey })).toJSON();
  })()`);
