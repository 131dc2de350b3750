import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { Languages } from "./i18n";
import { at } from "./lib/base";
import "./styles.css";

const place = document.getElementById("app");
if (place) {
  createRoot(place).render(
    <StrictMode>
      <Languages>
        <App />
      </Languages>
    </StrictMode>,
  );
}

// Only where the page is served as people get it; without https, or localhost, browsers have no service workers.
if (import.meta.env.PROD && "serviceWorker" in navigator) navigator.serviceWorker.register(at("/sw.js"));
