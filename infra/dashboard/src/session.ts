import { InMemoryWebStorage, UserManager, WebStorageStateStore } from "oidc-client-ts";
import type { PageConfig } from "./config";

export const SIGNED_IN = "/signed-in";
export const SIGNED_OUT = "/signed-out";

/** Who is signed in. Tokens live in memory alone: a reload asks the hosted page again. */
export interface Session {
  email: string;
  /** The ID token, renewed when it is about to end. */
  token(): Promise<string>;
  /** Leave for the hosted page, and come back to the present address. */
  signInAgain(): Promise<never>;
  signOut(): Promise<void>;
}

/**
 * Return the session of the person at the browser, or leave for the hosted page.
 *
 * The address that was wanted goes along as state, so that the person comes back to it.
 */
export async function openSession(config: PageConfig): Promise<Session | "leaving"> {
  const manager = newManager(config);
  const wanted = location.pathname + location.search + location.hash;
  if (location.pathname !== SIGNED_IN) {
    await manager.signinRedirect({ state: wanted });
    return "leaving";
  }
  const user = await manager.signinCallback().catch(() => undefined);
  if (!user) {
    // A code that was used before, or a page that was opened by its own address: begin anew.
    await manager.signinRedirect({ state: "/" });
    return "leaving";
  }
  history.replaceState(null, "", pathOf(user.state));
  return newSession(config, manager, user.profile.email ?? "");
}

function newManager(config: PageConfig): UserManager {
  const here = location.origin;
  return new UserManager({
    authority: config.issuer,
    // Named here, so that the policy lets the page call the sign-in's address and no other.
    metadata: {
      issuer: config.issuer,
      authorization_endpoint: `${config.login}/oauth2/authorize`,
      token_endpoint: `${config.login}/oauth2/token`,
      revocation_endpoint: `${config.login}/oauth2/revoke`,
    },
    client_id: config.client_id,
    redirect_uri: here + SIGNED_IN,
    scope: "openid email",
    response_type: "code",
    loadUserInfo: false,
    monitorSession: false,
    automaticSilentRenew: false,
    userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
    // The verifier has to outlive the way to the hosted page and back; it is used up by it.
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
  });
}

function newSession(config: PageConfig, manager: UserManager, email: string): Session {
  let renewal: Promise<unknown> | null = null;

  async function signInAgain(): Promise<never> {
    await manager.signinRedirect({ state: location.pathname + location.search });
    return new Promise(() => {});
  }

  return {
    email,
    signInAgain,
    async token() {
      const user = await manager.getUser();
      if (user?.id_token && (user.expires_in ?? 0) > RENEW_BEFORE_SECONDS) {
        return user.id_token;
      }
      renewal ??= manager.signinSilent().finally(() => {
        renewal = null;
      });
      await renewal.catch(signInAgain);
      const renewed = await manager.getUser();
      return renewed?.id_token ?? signInAgain();
    },
    async signOut() {
      await manager.revokeTokens(["refresh_token"]).catch(() => undefined);
      await manager.removeUser();
      const asked = new URLSearchParams({
        client_id: config.client_id,
        logout_uri: location.origin + SIGNED_OUT,
      });
      location.assign(`${config.login}/logout?${asked}`);
    },
  };
}

const RENEW_BEFORE_SECONDS = 60;

/** The state came back through the address bar, so only a path of this page is followed. */
export function pathOf(state: unknown): string {
  const isOwn = typeof state === "string" && /^\/(?![/\\])/.test(state);
  return isOwn && !state.startsWith(SIGNED_IN) && !state.startsWith(SIGNED_OUT) ? state : "/";
}
