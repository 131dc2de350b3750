// Written by scripts/compose.py from stagekit/kinds.py and scripts/templates/kinds.ts.j2: change those.

/** Kinds of artifacts that are JSON; all others are pictures. */
export const DOCUMENTS: readonly string[] = ["keypoints", "transform", "category"];
