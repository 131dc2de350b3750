import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from "react";
import { keyNeeded } from "./api/client";
import { forgetPictures } from "./api/pictures";
import { BatchPage } from "./batch/batch";
import { NewBatch } from "./batch/new";
import { ClusterPage } from "./cluster/page";
import { ComparisonPage } from "./comparison/page";
import { GalleryPage } from "./gallery/page";
import { dictionaries, type Language, useSpeech } from "./i18n";
import { NOTHING_CHOSEN } from "./lib/choices";
import type { Chosen } from "./lib/chosen";
import { NOTHING_COMPARED } from "./lib/compared";
import { useOnline } from "./lib/online";
import { type Page, pageAt, usePath } from "./lib/router";
import { SettingsDialog } from "./settings/dialog";
import { NOTHING_PICKED, Studio, type StudioProps } from "./studio/studio";
import { TryonPage } from "./tryon/page";
import { Cluster, Gallery, Garment, Settings } from "./ui/icons";
import { Link } from "./ui/link";

/** The frame around all pages, and which page it is. */
export function App() {
  const { t } = useSpeech();
  const path = usePath();
  const page = pageAt(path);
  const online = useOnline();
  const [outfit, setOutfit] = useState(NOTHING_PICKED);
  const [choices, setChoices] = useState(NOTHING_CHOSEN);
  const [compared, setCompared] = useState(NOTHING_COMPARED);
  const [settings, setSettings] = useState<"closed" | "open" | "asked">("closed");
  const [keys, setKeys] = useState(0);
  const main = useFocusOnNewPage(path);

  useWhenReplaced(outfit.garment, () => setChoices((now) => ({ ...now, category: "" })));
  useEffect(() => {
    const ask = () => setSettings((now) => (now === "closed" ? "asked" : now));
    keyNeeded.addEventListener("needed", ask);
    return () => keyNeeded.removeEventListener("needed", ask);
  }, []);
  useEffect(() => {
    document.title = `${titleOf(page, t.title)} · Howsfit`;
  });

  return (
    <>
      <a className="skip" href="#main">
        {t.nav.skip}
      </a>
      <header className="top">
        <Link href="/" className="brand">
          Howsfit
        </Link>
        <nav aria-label={t.nav.main}>
          <Tab href="/" path={path} icon={<Garment />} name={t.nav.studio} />
          <Tab href="/gallery" path={path} icon={<Gallery />} name={t.nav.gallery} />
          <Tab href="/cluster" path={path} icon={<Cluster />} name={t.nav.cluster} />
        </nav>
        <div className="tools">
          <OtherLanguage />
          <button type="button" className="chip" aria-label={t.settings.open} onClick={() => setSettings("open")}>
            <Settings />
          </button>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {!online && (
          <p className="notice bad" role="status">
            {t.offline}
          </p>
        )}
        <Shown
          key={`${path} ${keys}`}
          page={page}
          outfit={outfit}
          choices={choices}
          compared={compared}
          onOutfit={setOutfit}
          onChoices={setChoices}
          onCompared={setCompared}
        />
      </main>
      {settings !== "closed" && (
        <SettingsDialog
          asked={settings === "asked"}
          onClose={() => setSettings("closed")}
          onKey={() => {
            forgetPictures();
            setSettings("closed");
            setKeys((now) => now + 1);
          }}
        />
      )}
    </>
  );
}

interface ShownProps extends StudioProps {
  page: Page;
}

function Shown({ page, ...studio }: ShownProps) {
  const { t } = useSpeech();
  switch (page.name) {
    case "studio":
      return <Studio {...studio} />;
    case "tryon":
      return <TryonPage id={page.id} onOutfit={studio.onOutfit} />;
    case "gallery":
      return <GalleryPage />;
    case "batch-new":
      return <NewBatch person={studio.outfit.person} />;
    case "batch":
      return <BatchPage id={page.id} />;
    case "comparison":
      return <ComparisonPage id={page.id} />;
    case "cluster":
      return <ClusterPage />;
    case "missing":
      return (
        <div className="intro">
          <h1>{t.missing.heading}</h1>
          <Link href="/" className="button primary">
            {t.missing.home}
          </Link>
        </div>
      );
  }
}

function titleOf(page: Page, titles: Record<string, string>): string {
  return titles[page.name.startsWith("batch") ? "batch" : page.name] ?? "";
}

function Tab({ href, path, icon, name }: { href: string; path: string; icon: ReactNode; name: string }) {
  const here = href === "/" ? path === "/" || /^\/(tryons|comparisons)\//.test(path) : path === href;
  return (
    <Link href={href} aria-current={here ? "page" : undefined}>
      {icon}
      <span>{name}</span>
    </Link>
  );
}

/** With two languages, one button: it offers the other one, in its own words. */
function OtherLanguage() {
  const { language, speak } = useSpeech();
  const other: Language = language === "ko" ? "en" : "ko";
  return (
    <button type="button" className="chip" lang={other} onClick={() => speak(other)}>
      {dictionaries[other].language}
    </button>
  );
}

/** What was said of one garment is not true of the next one. */
function useWhenReplaced(garment: Chosen | null, forget: () => void): void {
  const before = useRef(garment);
  const replaced = useEffectEvent(forget);
  useEffect(() => {
    if (before.current && before.current !== garment) replaced();
    before.current = garment;
  }, [garment]);
}

/** People who listen to the page hear that it is another one. Not at the first page, where they begin at the top. */
function useFocusOnNewPage(path: string) {
  const main = useRef<HTMLElement>(null);
  const before = useRef(path);
  useEffect(() => {
    if (before.current !== path) main.current?.focus({ preventScroll: true });
    before.current = path;
  }, [path]);
  return main;
}
