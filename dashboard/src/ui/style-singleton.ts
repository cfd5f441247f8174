// Stands in for the package react-style-singleton (see vite.config.ts). The original appends a <style> element,
// which a content policy without 'unsafe-inline' refuses; a constructed stylesheet is not subject to it.
import { useEffect } from "react";

export function stylesheetSingleton() {
  let users = 0;
  let sheet: CSSStyleSheet | null = null;
  return {
    add(css: string) {
      users += 1;
      if (users > 1) return;
      sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    },
    remove() {
      users -= 1;
      if (users > 0 || !sheet) return;
      const gone = sheet;
      sheet = null;
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== gone);
    },
  };
}

export function styleHookSingleton() {
  const sheet = stylesheetSingleton();
  // biome-ignore lint/correctness/noComponentHookFactories: the shape of the package that this stands in for
  return function useStyle(styles: string, dynamic?: boolean) {
    // Like the original: a style that is not dynamic is set once.
    const version = dynamic ? styles : "";
    // biome-ignore lint/correctness/useExhaustiveDependencies: see above; version stands for styles
    useEffect(() => {
      sheet.add(styles);
      return () => sheet.remove();
    }, [version]);
  };
}

export function styleSingleton() {
  const useStyle = styleHookSingleton();
  // biome-ignore lint/correctness/noComponentHookFactories: see above
  return function Sheet({ styles, dynamic }: { styles: string; dynamic?: boolean }) {
    useStyle(styles, dynamic);
    return null;
  };
}
