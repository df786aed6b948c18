/** What differs between stages; the deploy writes it beside the page's files. */
export interface PageConfig {
  /** The user pool's name of itself, which its tokens carry. */
  issuer: string;
  /** Where people sign in and out, without a slash at the end. */
  login: string;
  client_id: string;
}

export async function readConfig(): Promise<PageConfig> {
  const answer = await fetch("/config.json", { cache: "no-cache" });
  if (!answer.ok) {
    throw new Error(`The page's settings could not be read (${answer.status}).`);
  }
  return answer.json();
}
