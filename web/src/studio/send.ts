import { api, isGone } from "../api/client";
import { type Chosen, idOf, sendAgain } from "../lib/chosen";

/**
 * Upload what the gateway does not have yet, and start something with the ids, which come in the order of the pictures.
 * Throws Refused, Unreachable.
 */
export async function startWith<T>(pictures: Chosen[], start: (ids: string[]) => Promise<T>): Promise<T> {
  const attempt = async () => start(await Promise.all(pictures.map((one) => idOf(one, api.upload))));
  try {
    return await attempt();
  } catch (error) {
    if (!isGone(error)) throw error;
    // Sent a while ago, and deleted since; or sent with another key.
    for (const one of pictures) sendAgain(one);
    return attempt();
  }
}
