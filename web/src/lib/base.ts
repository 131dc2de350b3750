/**
 * The path below which a proxy offers all of this: "/tryon", or "" where there is none. This script lies in assets/ of it.
 */
const script = import.meta.url;
export const BASE = import.meta.env.PROD ? new URL("..", script).pathname.slice(0, -1) : "";

/** An address of the app or the gateway, as the browser asks for it. What documents of the API name is one already. */
export const at = (path: string): string => BASE + path;
