import type { Serving, Tryon } from "../api/client";
import { DOCUMENTS } from "../api/kinds";
import { useText, word } from "../i18n";
import { type Mask, masksOf } from "../mend/masks";
import { Brush, Download } from "../ui/icons";
import { Picture } from "../ui/picture";

interface Props {
  tryon: Tryon;
  serving: Serving[];
  onSave(path: string, name: string): void;
  onMend(mask: Mask): void;
}

/** Every artifact of a try-on, to look at and to keep. */
export function Artifacts({ tryon, serving, onSave, onMend }: Props) {
  const t = useText();
  const kinds: Record<string, string> = { photo: "picture", garment: "picture" };
  for (const stage of serving) Object.assign(kinds, stage.optional, stage.outputs);
  const given = tryon.stages.flatMap((stage) => stage.given);
  return (
    <section className="artifacts" id="stages" aria-label={t.tryon.seeStages}>
      <ul>
        {Object.entries(tryon.artifacts).map(([name, path]) => {
          const label = word(t.artifact, name) ?? name;
          const mask = masksOf(tryon).find((one) => one === name);
          const document = DOCUMENTS.includes(kinds[name] ?? "");
          return (
            <li key={name}>
              {document ? (
                <span className="picture document">JSON</span>
              ) : (
                <Picture path={path} alt={label} width={180} />
              )}
              <div>
                <span>
                  {label} {given.includes(name) && <small className="mark">{t.tryon.given}</small>}
                </span>
                {mask && (
                  <button type="button" className="chip" aria-label={t.mend.openAt(label)} onClick={() => onMend(mask)}>
                    <Brush />
                  </button>
                )}
                <button
                  type="button"
                  className="chip"
                  aria-label={t.tryon.save(label)}
                  onClick={() => onSave(path, `${name}${document ? ".json" : ""}`)}
                >
                  <Download />
                </button>
              </div>
            </li>
          );
        })}
      </ul>
      <button type="button" className="button" onClick={() => onSave(tryon.urls.dataset ?? "", "dataset.zip")}>
        <Download /> {t.tryon.dataset}
      </button>
    </section>
  );
}
