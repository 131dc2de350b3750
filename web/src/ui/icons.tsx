import type { ReactNode } from "react";

const drawn = (path: ReactNode) => () => (
  <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    {path}
  </svg>
);

export const Person = drawn(<path d="M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 10c0-4 3-7 7-7s7 3 7 7" />);
export const Garment = drawn(<path d="M9 3 4 5 2 10l4 1v10h12V11l4-1-2-5-5-2c-.5 3-5.5 3-6 0Z" />);
export const Camera = drawn(
  <path d="M4 8h3l2-3h6l2 3h3a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1Zm8 9a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z" />,
);
export const Gallery = drawn(<path d="M4 4h7v9H4Zm9 0h7v5h-7Zm0 7h7v9h-7Zm-9 4h7v5H4Z" />);
export const Cluster = drawn(<path d="M9 3h6v5H9ZM3 16h6v5H3Zm12 0h6v5h-6ZM12 8v4m-6 4v-4h12v4" />);
export const Settings = drawn(
  <path d="M4 7h9m5 0h2M4 17h3m5 0h8M15.5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Zm-6 10a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z" />,
);
export const Download = drawn(<path d="M12 3v12m-5-5 5 5 5-5M4 20h16" />);
export const Enlarge = drawn(<path d="M14 4h6v6m0-6-7 7M10 20H4v-6m0 6 7-7" />);
export const Brush = drawn(<path d="m14 4 6 6-8.500 7.500-5-5ZM6.500 12.500C3 13 5 18 3 20c4 1 8.500 0 8.500-2.500" />);
export const Undo = drawn(<path d="M8 4 4 8l4 4M4 8h10a6 6 0 0 1 0 12H9" />);
export const Trash = drawn(<path d="M4 7h16M9 7V4h6v3m-8 0 1 13h8l1-13" />);
export const Close = drawn(<path d="m6 6 12 12M18 6 6 18" />);
export const Plus = drawn(<path d="M12 5v14M5 12h14" />);
export const Minus = drawn(<path d="M5 12h14" />);
export const Done = drawn(<path d="m5 13 4 4L19 7" />);
export const Reused = drawn(<path d="M20 12a8 8 0 1 1-2.5-5.800M20 3v4h-4" />);
