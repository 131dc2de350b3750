import type { AnchorHTMLAttributes, MouseEvent } from "react";
import { at } from "../lib/base";
import { go } from "../lib/router";

/** A link to one of the app's pages. */
export function Link({ href, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(href);
  };
  return <a href={at(href)} onClick={follow} {...rest} />;
}
