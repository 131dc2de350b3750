import { api, isGone } from "../api/client";
import { fetchPicture } from "../api/pictures";
import { at } from "../lib/base";
import { type Chosen, choose, idOf, sendAgain } from "../lib/chosen";

const SHOWN = 1024;

/** Look at a file: the picture, or why it cannot be taken. One that the browser cannot show is sent to the gateway to see it. */
export const look = (file: Blob) =>
  choose(file, async (unseen) => {
    const id = await idOf({ file: unseen }, api.upload);
    return fetchPicture(at(`/v1/images/${id}/content?width=${SHOWN}`));
  });

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
