import jumper from "../../../howsfit/samples/garment_jumper.jpg";
import tee from "../../../howsfit/samples/garment_tee.jpg";
import top from "../../../howsfit/samples/garment_top.jpg";
import person from "../../../howsfit/samples/person.jpg";
import type { Part } from "../lib/chosen";
import smallJumper from "./thumbs/garment_jumper.jpg";
import smallTee from "./thumbs/garment_tee.jpg";
import smallTop from "./thumbs/garment_top.jpg";
import smallPerson from "./thumbs/person.jpg";

/** The pictures that come with the Python package, each with a small copy that stands for it until it is chosen. */
export const SAMPLES = {
  person: [{ name: "person", url: person, thumb: smallPerson }],
  garment: [
    { name: "tee", url: tee, thumb: smallTee },
    { name: "jumper", url: jumper, thumb: smallJumper },
    { name: "top", url: top, thumb: smallTop },
  ],
} as const satisfies Record<Part, readonly { name: string; url: string; thumb: string }[]>;
