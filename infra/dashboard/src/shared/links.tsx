import CloudscapeLink, { type LinkProps } from "@cloudscape-design/components/link";
import { useLocation } from "wouter";

/** A link to another address of this page, without loading it anew. */
export function PageLink({ href, ...props }: LinkProps & { href: string }) {
  const follow = useFollow();
  return <CloudscapeLink {...props} href={href} onFollow={follow} />;
}

interface FollowEvent {
  preventDefault(): void;
  detail: { href?: string; external?: boolean };
}

/** What Cloudscape's links, menus and navigation call when a person follows them. */
export function useFollow(): (event: FollowEvent) => void {
  const [, navigate] = useLocation();
  return (event) => {
    const { href, external } = event.detail;
    if (href?.startsWith("/") && !external) {
      event.preventDefault();
      navigate(href);
    }
  };
}
