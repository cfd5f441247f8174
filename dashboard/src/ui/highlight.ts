export type Language = "js" | "go" | "php" | "python" | "ruby" | "bash" | "env" | "json" | "html";
export type Token = { kind: "plain" | "comment" | "string" | "keyword" | "number"; text: string };

const words: Record<Language, string> = {
  js: "import|from|const|let|await|async|new|return|true|false|null|require|function",
  go: "package|import|func|if|err|nil|return|true|false|map|string",
  php: "require|new|true|false|null|use",
  python: "import|from|True|False|None|print",
  ruby: "require|true|false|nil|do|end|puts",
  bash: "set|printf|openssl|curl|awk|date",
  env: "true|false",
  json: "true|false|null",
  html: "script|src|const|new|function",
};

const hashComments = new Set<Language>(["python", "ruby", "bash", "env"]);

/**
 * Splits a snippet for colouring. It knows just enough for the few lines that we show: a whole highlighter would
 * weigh more than the page around it.
 */
export function highlight(code: string, language: Language): Token[] {
  const comment = hashComments.has(language) ? "(?<![\\w$&])#[^\\n]*" : "(?<!:)//[^\\n]*";
  const pattern = new RegExp(
    `(?<comment>${comment})|(?<string>"(?:\\\\.|[^"\\\\])*"|'(?:\\\\.|[^'\\\\])*'|\`[^\`]*\`)` +
      `|(?<keyword>(?<![\\w$.-])(?:${words[language]})(?![\\w-]))|(?<number>(?<![\\w.:-])\\d+(?:\\.\\d+)?(?![\\w.:-]))`,
    "g",
  );
  const tokens: Token[] = [];
  let end = 0;
  for (const match of code.matchAll(pattern)) {
    if (match.index > end) tokens.push({ kind: "plain", text: code.slice(end, match.index) });
    tokens.push({ kind: kindOf(match.groups ?? {}), text: match[0] });
    end = match.index + match[0].length;
  }
  if (end < code.length) tokens.push({ kind: "plain", text: code.slice(end) });
  return tokens;
}

function kindOf(groups: Record<string, string | undefined>): Token["kind"] {
  if (groups["comment"] !== undefined) return "comment";
  if (groups["string"] !== undefined) return "string";
  return groups["keyword"] !== undefined ? "keyword" : "number";
}
